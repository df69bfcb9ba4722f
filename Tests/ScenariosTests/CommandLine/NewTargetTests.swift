import Foundation
import Targets
import Testing

/// `faultline targets new`: what it writes works as it stands, in each language whose compiler is here.
@Suite(
    .enabled(if: TestMachine.hasFUSE), .enabled(if: Faultline.path != nil, "the program was not built beside the tests")
)
struct NewTargetTests {
    private let temporary: TemporaryDirectory

    init() throws { temporary = try TemporaryDirectory() }

    static let here: [NewTarget.Language] = NewTarget.Language.allCases.filter { language in
        let found = language.compiler.map { name in
            searchPath.split(separator: ":").contains { access("\($0)/\(name)", X_OK) == 0 }
        }
        if found == false {
            print("SKIPPED: the new target in \(language.rawValue): there is no \(language.compiler!)")
        }
        return found ?? ManifestTargetTests.hasPython
    }

    private static let searchPath = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin"

    /// Makes the target, and builds it by the command that is printed.
    private func make(_ language: NewTarget.Language, in directory: String, changing: (String, String)? = nil) throws {
        let answer = try Faultline.run(
            ["targets", "new", "my-store_2", "--lang", language.rawValue, "-o", directory], directory: temporary.path)
        try #require(answer.status == 0, "\(answer)")
        let target = try NewTarget("my-store_2", language)
        for file in target.files { #expect(answer.output.contains("\(file.name)"), "\(answer)") }
        let place = temporary.path + "/" + directory
        if let (old, new) = changing {
            let driver = place + "/" + "\(target.files[1].name)"
            let text = try String(contentsOfFile: driver, encoding: .utf8)
            try #require(text.contains(old), "\(text)")
            try text.replacing(old, with: new).write(toFile: driver, atomically: false, encoding: .utf8)
        }
        guard let build = target.build else { return }
        #expect(answer.output.contains("    \(build)\n"), "\(answer)")
        let home = ProcessInfo.processInfo.environment["HOME"] ?? "/root"
        let built = try Faultline.run(
            ["-c", build], directory: place, of: "/bin/sh", environment: ["PATH": Self.searchPath, "HOME": home])
        try #require(built.status == 0 && built.error.isEmpty, "\(built)")
    }

    private func faultline(_ words: String..., in directory: String) throws -> Faultline.Answer {
        try Faultline.run(words, directory: temporary.path + "/" + directory)
    }

    @Test(arguments: here) func `a new target passes smoke, and explore finds nothing`(language: NewTarget.Language)
        throws
    {
        try make(language, in: "store")
        let smoke = try faultline("run", "./my-store_2.yaml", "--scenario", "smoke", in: "store")
        #expect(smoke.status == 0 && smoke.output.contains("my-store_2"), "\(smoke)")
        let explored = try faultline("explore", "./my-store_2.yaml", "--ops", "4", in: "store")
        #expect(explored.status == 0, "\(explored)")
    }

    @Test(.enabled(if: ManifestTargetTests.hasPython)) func `without its sync explore finds the loss`() throws {
        try make(.python, in: "store", changing: ("            os.fsync(file.fileno())\n", ""))
        let explored = try faultline("explore", "./my-store_2.yaml", "--ops", "4", in: "store")
        #expect(explored.status == 1, "\(explored)")
    }

    @Test(.enabled(if: ManifestTargetTests.hasPython)) func `temporary files of a driver go with the run`() throws {
        let seen = temporary.path + "/seen"
        let line = "        self.directory = directory\n"
        let note =
            "        import tempfile; name = tempfile.mkstemp()[1]; open('\(seen)', 'a').write(name + '\\n')\n"
        try make(.python, in: "store", changing: (line, line + note))
        let smoke = try faultline("run", "./my-store_2.yaml", "--scenario", "smoke", "--ops", "3", in: "store")
        #expect(smoke.status == 0, "\(smoke)")
        let files = try String(contentsOfFile: seen, encoding: .utf8).split(separator: "\n").map(String.init)
        #expect(!files.isEmpty)
        for file in files { #expect(!FileManager.default.fileExists(atPath: file), "\(file)") }
    }

    @Test func `what is there already and a wrong name are refused, and nothing is written`() throws {
        try make(.c, in: "store")
        let before = try FileManager.default.contentsOfDirectory(atPath: temporary.path + "/store")
        for (words, error) in [
            (["my-store", "-o", "store"], "store"), (["My Store"], "a-z, 0-9"), (["x", "--lang", "cobol"], "python"),
            (["x", "-o", "nowhere/x"], "nowhere"),
        ] {
            let answer = try Faultline.run(["targets", "new"] + words, directory: temporary.path)
            #expect(answer.status == 2 && answer.error.contains(error), "\(answer)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: temporary.path) == ["store"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: temporary.path + "/store") == before)
    }
}
