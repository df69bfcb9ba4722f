import Foundation
import Testing

/// The house as it stands.
struct HouseTests {
    private let house: House

    init() throws {
        let manifest = SourceFile.root.appending(path: "Package.swift")
        house = House(manifest: try String(contentsOf: manifest, encoding: .utf8))
    }

    @Test func `the manifest lists the modules from Bytes up to the command line`() {
        #expect(house.order.count >= 13)
        #expect(house.order.firstIndex(of: "Bytes") == 4)
        #expect(house.order.contains("faultline"))
    }

    @Test func `imports point downward, and to what a module may use`() throws {
        let files = try SourceFile.all(in: "Sources", endings: ["swift"])
        #expect(files.count > 20)
        #expect(files.flatMap(house.objections(toImportsOf:)) == [])
    }

    @Test func `folders of one module have no cycle`() throws {
        let objections = FolderRule.objections(to: try SourceFile.all(in: "Sources", endings: ["swift"]))
        #expect(objections == [], "\(objections)")
    }

    @Test func `what is kept is written in one place, and every exception is needed`() throws {
        let files = try SourceFile.all(in: "Sources", endings: ["swift"])
        #expect(files.flatMap(OutputRule.objections(to:)) == [])
        #expect(OutputRule.unused(files) == [])
    }

    @Test func `what is printed is printed in one place, and every exception is needed`() throws {
        let files = try SourceFile.all(in: "Sources", endings: ["swift"])
        #expect(files.flatMap(PrintingRule.objections(to:)) == [])
        #expect(PrintingRule.unused(files) == [])
    }

    @Test(arguments: ["Sources", "Tests"])
    func `no file is longer than 400 lines`(directory: String) throws {
        let files = try SourceFile.all(in: directory, endings: ["swift", "c", "h"])
        #expect(files.compactMap(House.objection(toLengthOf:)) == [])
    }

    @Test(.enabled(if: isCheckout, "this is no git checkout: what git tracks is not known"))
    func `nothing that was built or resolved is in git`() throws {
        let git = Process()
        git.executableURL = URL(filePath: "/usr/bin/env")
        git.arguments = ["git", "-C", SourceFile.root.path(), "ls-files", "-z"]
        let output = Pipe()
        git.standardOutput = output
        try git.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        git.waitUntilExit()
        try #require(git.terminationStatus == 0)
        let paths = String(decoding: bytes, as: UTF8.self).split(separator: "\0").map(String.init)
        #expect(paths.contains("Package.swift"))
        #expect(House.objections(toTracked: paths) == [])
    }

    private static let isCheckout = FileManager.default.fileExists(
        atPath: SourceFile.root.appending(path: ".git").path())
}
