import Foundation
import Testing

/// The driver libraries in harness/targets/lib, by the example stores that use them and by changed copies of these.
@Suite(.enabled(if: TestMachine.hasFUSE)) struct DriverLibraryTests {
    private let temporary: TemporaryDirectory

    init() throws { temporary = try TemporaryDirectory() }

    static let hasCompiler: Bool = {
        let found = FileManager.default.isExecutableFile(atPath: "/usr/bin/cc")
        if !found { print("SKIPPED: the driver library for C needs a compiler: apt-get install gcc") }
        return found
    }()

    enum Language: CaseIterable {
        case python, c

        static var here: [Language] { (ManifestTargetTests.hasPython ? [.python] : []) + (hasCompiler ? [.c] : []) }
        var name: String { self == .python ? "jsonlog" : "clog" }
        var source: String { self == .python ? "jsonlog.py" : "clog.c" }
    }

    private static let examples = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "harness/targets").path

    /// A copy of the example with these changes, built. Returns its manifest.
    private func example(_ language: Language, _ changes: [(String, String)] = []) throws -> String {
        for name in ["lib", language.source, language.name + ".yaml"] {
            try FileManager.default.copyItem(atPath: Self.examples + "/" + name, toPath: temporary.path + "/" + name)
        }
        let path = temporary.path + "/" + language.source
        var text = try String(contentsOfFile: path, encoding: .utf8)
        for (old, new) in changes {
            try #require(text.contains(old), "the example has no longer: \(old)")
            text = text.replacing(old, with: new)
        }
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        if language == .c {
            let flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-I", "lib", "-o", "clog", "clog.c"]
            let built = try Faultline.run(flags, directory: temporary.path, of: "/usr/bin/cc")
            try #require(built.status == 0, "\(built)")
        }
        return temporary.path + "/" + language.name + ".yaml"
    }

    private func faultline(_ words: String...) throws -> Faultline.Answer {
        try Faultline.run(words, directory: temporary.path)
    }

    /// The oracle of a workload that runs on its own.
    private func oracle(_ language: Language, _ environment: [String: String]) throws -> [[String: Any]] {
        let program = temporary.path + (language == .python ? "/jsonlog.py" : "/clog")
        let (store, oracle) = (temporary.path + "/store", temporary.path + "/oracle")
        try FileManager.default.createDirectory(atPath: store, withIntermediateDirectories: true)
        let variables = ["FAULTLINE_DIR": store, "FAULTLINE_ORACLE": oracle, "FAULTLINE_SEED": "1"]
        let answer = try Faultline.run(
            ["workload"], directory: temporary.path, of: program, environment: variables.merging(environment) { $1 })
        #expect(answer.status == 0, "\(answer)")
        return try String(contentsOfFile: oracle, encoding: .utf8).split(separator: "\n").map {
            try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
    }

    @Test(arguments: Language.here) func `every byte of a value survives, also of empty ones and of 64 KiB`(
        language: Language
    ) throws {
        let manifest = try example(language)
        // Seed 1 draws an empty value and one of 64 KiB among these.
        let run = try faultline("run", manifest, "--scenario", "smoke", "--ops", "60")
        #expect(run.status == 0 && run.output.contains("operations acknowledged"), "\(run)")
        let payloads = try oracle(language, ["FAULTLINE_OPS": "300"]).compactMap { $0["payload"] as? String }
            .map { try #require(Data(base64Encoded: $0)) }
        #expect(payloads.contains { $0.isEmpty } && payloads.contains { $0.count == 65536 })
        #expect(Set(payloads.joined()).count == 256)
    }

    static let wrongDumps: [(Language, String, String)] = [
        (
            .python, "return self.entries.items()",
            "return [(key, value[:-1]) for key, value in self.entries.items()]"
        ),
        (.c, "key + h.key_size, value_bytes(h))", "key + h.key_size, value_bytes(h) / 2)"),
    ]

    @Test(arguments: wrongDumps.filter { Language.here.contains($0.0) })
    func `a driver whose dump is wrong does not pass smoke`(row: (Language, String, String)) throws {
        let run = try faultline("run", example(row.0, [(row.1, row.2)]), "--scenario", "smoke", "--ops", "10")
        #expect(run.status == 2, "\(run)")
    }

    @Test(arguments: Language.here, [("full", Int32(0)), ("none", 1)])
    func `explore passes a store that syncs, and finds one that does not`(
        language: Language, row: (sync: String, status: Int32)
    ) throws {
        let run = try faultline("explore", example(language), "--ops", "2", "--set", "sync=\(row.sync)")
        #expect(run.status == row.status, "\(run)")
        #expect(row.status == 0 || run.output.contains("durable"), "\(run)")
    }

    /// Turns an example into a store with one sync for four operations.
    private static func grouped(_ language: Language, syncs: Bool) -> [(String, String)] {
        switch language {
        case .python:
            [
                ("        if self.syncs: os.fsync(self.log)\n        self.apply", "        self.apply"),
                (
                    "    def close(self)",
                    "    def sync(self): \(syncs ? "os.fsync(self.log)" : "pass")\n\n    def close(self)"
                ), ("drive(Store)", "drive(Store, group=4)"),
            ]
        case .c:
            [
                (" || (syncs && fsync(file));", ";"),
                (
                    "int main(",
                    "static int sync_log(void *store) { return \(syncs ? "fsync(((clog *)store)->file)" : "!store"); }\n"
                        + "int main("
                ), (".close = close_log", ".close = close_log, .sync = sync_log, .group = 4"),
            ]
        }
    }

    @Test(arguments: Language.here, [true, false])
    func `a group is acknowledged after its one sync`(language: Language, syncs: Bool) throws {
        let manifest = try example(language, Self.grouped(language, syncs: syncs))
        let phases = try oracle(language, ["FAULTLINE_OPS": "6"]).map { $0["phase"] as? String ?? "acknowledged" }
        let (begin, end) = ("begin", "acknowledged")
        #expect(phases == [begin, begin, begin, begin, end, end, end, end, begin, begin, end, end])
        let run = try faultline("run", manifest, "--scenario", "power-cut", "--cycles", "1", "--ops", "12")
        #expect(run.status == (syncs ? 0 : 1), "\(run)")
    }

    static let refusing: [(Language, [(String, String)])] = [
        (
            .python,
            [
                ("import drive, text", "import drive, text, Refused"),
                (
                    "    def put(self, key, value):\n",
                    "    def put(self, key, value):\n        if key == b'k03': raise Refused('not that key')\n"
                ),
            ]
        ),
        (
            .c,
            [
                (
                    "    return append(store, key, key_size, value, value_size, 0);",
                    "    if (!memcmp(key, \"k03\", 3)) return FAULTLINE_REFUSED;\n"
                        + "    return append(store, key, key_size, value, value_size, 0);"
                )
            ]
        ),
    ]

    @Test(arguments: refusing.filter { Language.here.contains($0.0) })
    func `an operation that the store refuses is answered by failed, and the work goes on`(
        row: (Language, [(String, String)])
    ) throws {
        let manifest = try example(row.0, row.1)
        let lines = try oracle(row.0, ["FAULTLINE_OPS": "60", "FAULTLINE_FIRST_SEQ": "41"])
        let refused = lines.filter { $0["phase"] as? String == "failed" }
        #expect(!refused.isEmpty && refused.allSatisfy { $0["key"] as? String == "azAz" })
        #expect(lines.first?["seq"] as? Int == 41 && lines.last?["seq"] as? Int == 100 && lines.count == 120)
        let run = try faultline("run", manifest, "--scenario", "smoke", "--ops", "30")
        #expect(run.status == 0, "\(run)")
    }

    @Test(.enabled(if: ManifestTargetTests.hasPython)) func `keys may be any bytes`() throws {
        let manifest = try example(.python, [("drive(Store)", "drive(Store, odd_keys=True)")])
        let run = try faultline("run", manifest, "--scenario", "smoke", "--ops", "30")
        #expect(run.status == 0, "\(run)")
    }

    static let complaining: [(Language, [(String, String)])] = [
        (
            .python,
            [
                (
                    "    def close(self)",
                    "    def check(self): return 'bad page' if COMPLAINS else None\n\n    def close(self)"
                )
            ]
        ),
        (
            .c,
            [
                (
                    "int main(",
                    "static int check(void *store) { return COMPLAINS && store ? faultline_fail(\"bad page\") : 0; }\n"
                        + "int main("
                ),
                (".close = close_log", ".close = close_log, .check = check"),
            ]
        ),
    ]

    @Test(arguments: complaining.filter { Language.here.contains($0.0) }, [true, false])
    func `a complaint of the store's own checker is part of the dump`(
        row: (Language, [(String, String)]), complains: Bool
    ) throws {
        let word = row.0 == .c ? (complains ? "1" : "0") : (complains ? "True" : "False")
        _ = try example(row.0, row.1.map { ($0.0, $0.1.replacing("COMPLAINS", with: word)) })
        let empty = temporary.path + "/empty"
        try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: true)
        let program = temporary.path + (row.0 == .python ? "/jsonlog.py" : "/clog")
        let script = "echo '\(empty)' | '\(program)' recover"
        let answer = try Faultline.run(["-c", script], directory: temporary.path, of: "/bin/sh")
        let lines = answer.output.split(separator: "\n")
        try #require(lines.count == 2, "\(answer)")
        let check = try #require(JSONSerialization.jsonObject(with: Data(lines[0].utf8)) as? [String: String])["check"]
        #expect(complains ? check?.hasPrefix("bad") == true : check == "ok")
    }

    @Test(arguments: Language.here) func `a workload waits to be killed after so many acknowledgements`(
        language: Language
    ) throws {
        let manifest = try example(language)
        let run = try faultline(
            "run", manifest, "--scenario", "kill", "--kill-at-ack", "3", "--cycles", "1", "--ops", "10")
        #expect(run.status == 0 && run.output.contains("1 of 1 kill landed in the middle"), "\(run)")
    }

    @Test(arguments: Language.here) func `a recover process says that a directory does not open, and serves the next`(
        language: Language
    ) throws {
        _ = try example(language)
        try FileManager.default.createDirectory(
            atPath: temporary.path + "/empty", withIntermediateDirectories: true)
        let program = temporary.path + (language == .python ? "/jsonlog.py" : "/clog")
        let script = "printf '%s\\n' ./nowhere ./empty | '\(program)' recover"
        let answer = try Faultline.run(["-c", script], directory: temporary.path, of: "/bin/sh")
        let lines = answer.output.split(separator: "\n")
        try #require(answer.status == 0 && lines.count == 2, "\(answer)")
        #expect(lines[0].hasPrefix(#"{"error":"#) && lines[1].contains("end"), "\(answer)")
    }

    @Test(arguments: Language.here) func `a driver without its variables says what to do`(language: Language) throws {
        _ = try example(language)
        let program = temporary.path + (language == .python ? "/jsonlog.py" : "/clog")
        let answer = try Faultline.run(["workload"], directory: temporary.path, of: program)
        #expect(answer.status == 2 && answer.error.contains("FAULTLINE_"), "\(answer)")
        #expect(answer.error.contains("faultline run MANIFEST --scenario smoke"), "\(answer)")
        #expect(try Faultline.run([], directory: temporary.path, of: program).status == 2)
    }
}
