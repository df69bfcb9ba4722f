import Testing

/// Every rule of the house objects to what breaks it.
struct HouseRuleTests {
    private static let house = House(
        manifest: """
                .target(name: "CPlatform"),
                .systemLibrary(name: "CFuse", pkgConfig: "fuse3"),
                .target(name: "Bytes", dependencies: ["CPlatform"]),
                .target(name: "Model"),
                .target(
                    name: "Storage", dependencies: ["Bytes"]),
                .target(name: "FaultFS"),
                .executableTarget(
                    name: "faultline", dependencies: []),
                .testTarget(name: "ModelTests", dependencies: ["Model"]),
            """)

    @Test func `the order is the manifest's, without the tests`() {
        #expect(Self.house.order == ["CPlatform", "CFuse", "Bytes", "Model", "Storage", "FaultFS", "faultline"])
    }

    @Test(arguments: [
        ("Model", "import Bytes", nil),
        ("Model", "import Synchronization", nil),
        ("Storage", "import Glibc\nimport Model", nil),
        ("Model", "import func Glibc.memchr\nimport func Glibc.memcmp", nil),
        ("faultline", "import ArgumentParser", nil),
        ("FaultFS", "import CFuse", nil),
        ("Model", "// import Storage", nil),
        ("Model", "let text = \"import Storage\"", nil),
        ("Bytes", "import Model", "imports point downward, and it is not below Bytes"),
        ("Model", "import Storage", "imports point downward, and it is not below Model"),
        ("Model", "@testable import Model", "imports point downward, and it is not below Model"),
        ("Model", "public import Storage", "imports point downward, and it is not below Model"),
        (
            "Model", "@_spi(Inner) package import struct Storage.File",
            "imports point downward, and it is not below Model"
        ),
        ("Storage", "import faultline", "imports point downward, and it is not below Storage"),
        ("Model", "import Glibc", "Model is pure"),
        ("Model", "import func Glibc.open", "Model is pure"),
        ("Bytes", "import struct Foundation.Data", "Bytes is pure"),
        ("Storage", "import Foundation", "Storage does without Foundation"),
        ("Storage", "import ArgumentParser", "only faultline may"),
        ("Storage", "import CFuse", "only FaultFS may"),
        ("Storage", "import SystemPackage", "neither a module of the house nor of the toolchain"),
    ])
    func `an import is allowed, or refused for its reason`(module: String, text: String, reason: String?) {
        let file = SourceFile(path: "Sources/\(module)/File.swift", text: text + "\n")
        let objections = Self.house.objections(toImportsOf: file)
        #expect(objections.count == (reason == nil ? 0 : 1))
        if let reason { #expect(objections.first?.hasSuffix(": " + reason) == true) }
    }

    @Test func `a module that the manifest does not know is refused`() {
        let file = SourceFile(path: "Sources/Attic/File.swift", text: "")
        #expect(
            Self.house.objections(toImportsOf: file) == ["Sources/Attic/File.swift: the manifest has no target Attic"])
    }

    @Test(arguments: [
        ("let file = open(path, O_WRONLY | O_CREAT, 0o600)", 1), ("rename(from, to)", 1), ("renameat(a, b, c, d)", 1),
        ("try text.write(toFile: path, atomically: true)", 1), ("try data.write(to: url)", 1),
        ("fopen(path, \"w\")", 1),
        ("FileManager.default.copyItem(atPath: a, toPath: b)", 1), ("FileHandle(forWritingTo: url)", 1),
        ("try String(contentsOfFile: path, encoding: .utf8)", 1), ("faultline_rename_at(a, b, c, d, 0)", 1),
        ("// rename(from, to) keeps both names", 0), ("try storage.rename(from, to: name)", 0),
        ("    func rename(_ from: ByteString, to: ByteString)", 0), ("case rename(from: Entry, to: Entry)", 0),
        ("process.standardError = FileHandle.nullDevice", 0), ("names.append(contentsOf: others)", 0),
        ("open(path, O_RDONLY)", 0),
    ])
    func `a file is made in the one place for it`(line: String, count: Int) {
        let elsewhere = SourceFile(path: "Sources/Scenarios/File.swift", text: "import Glibc\n" + line + "\n")
        #expect(OutputRule.objections(to: elsewhere).count == count, "\(OutputRule.objections(to: elsewhere))")
        let place = SourceFile(path: "Sources/Storage/Outputs/File.swift", text: line + "\n")
        #expect(OutputRule.objections(to: place) == [])
    }

    @Test(arguments: [
        ("print(text)", 1), ("        Swift.print(text)", 1), ("let encoder = JSONEncoder()", 1),
        ("write(2, line, 3)", 1), ("fputs(text, stderr)", 1),
        ("faultline_write_no_signal(STDERR_FILENO, part, 3)", 1),
        ("// print(text)", 0), ("try server.print(line)", 0), ("fingerprint(text)", 0),
        ("isatty(STDERR_FILENO) == 1", 0), ("try file.write(1, line)", 0),
    ])
    func `what is printed is printed in one place`(line: String, count: Int) {
        let elsewhere = SourceFile(path: "Sources/Scenarios/File.swift", text: "import Glibc\n" + line + "\n")
        #expect(PrintingRule.objections(to: elsewhere).count == count, "\(PrintingRule.objections(to: elsewhere))")
        let place = SourceFile(path: "Sources/Report/StandardOutput.swift", text: line + "\n")
        #expect(PrintingRule.objections(to: place) == [])
    }

    @Test func `a cycle of folders is told with who closes it`() {
        func file(_ path: String, _ text: String) -> SourceFile { SourceFile(path: "Sources/M/" + path, text: text) }
        let below = file("Low/Base.swift", "package struct Base {}\n")
        let above = file("High/Top.swift", "struct Top { var base: Base }\n")
        #expect(FolderRule.objections(to: [below, above]) == [])
        for text in ["// Top", "let text = \"Top\"", "struct Base { enum Top {} }", "let way = Way.Top"] {
            #expect(FolderRule.objections(to: [file("Low/Base.swift", text), above]) == [], "\(text)")
        }
        let cycle = file("Low/Base.swift", "struct Base { let text = \"\\(Top.self)\" }\n")
        #expect(
            FolderRule.objections(to: [cycle, above])
                == ["M: High -> Low -> High (Top.swift uses Base, Base.swift uses Top)"])
        let root = file("List.swift", "let all = [Top.self]\nenum List {}\n")
        #expect(FolderRule.objections(to: [below, above, root]) == [])
        let use = file("Low/Base.swift", "struct Base { var list: List }\n")
        #expect(FolderRule.objections(to: [use, above, root]).count == 1)
    }

    @Test(arguments: [(400, true), (401, false)])
    func `the 401st line is too many`(count: Int, isAllowed: Bool) {
        let file = SourceFile(path: "Sources/Model/Long.swift", text: String(repeating: "\n", count: count))
        #expect((House.objection(toLengthOf: file) == nil) == isAllowed)
    }

    @Test func `resolved and built files are refused wherever they are`() {
        let paths = ["Package.swift", "Package.resolved", "a/Package.resolved", ".build/x", "b/.build/y", "docs/build"]
        #expect(House.objections(toTracked: paths).count == 4)
    }
}
