import Bytes
import Foundation
import Model
import Storage
import Targets
import Testing

@testable import Machine

/// What the commands say of states with links that lead out of them, and what they do to what is there.
@Suite(.enabled(if: SandboxTrial.here.layers.isWhole && Faultline.path != nil, "no sandbox works here"))
struct SandboxCommandTests {
    private let scratch = Scratch()

    private func faultline(_ arguments: String...) throws -> Faultline.Answer {
        try Faultline.run(arguments, directory: scratch.url.path)
    }

    @Test func `a replay names the links and keeps them in, unless it is told not to`() throws {
        let hostile = try HostileCase([("db", "OUT/db")], in: scratch)
        let before = try hostile.picture
        let replay = try faultline("replay", "case", "--target", hostile.manifest)
        #expect(replay.status == 1, "\(replay)")
        #expect(replay.output.contains("lead out of it: db -> \(hostile.outside)/db."), "\(replay)")
        #expect(replay.output.contains("recovered in a sandbox"), "\(replay)")
        let json = try faultline("replay", "case", "--trust", "--json")
        let object = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        #expect(object["leavingLinks"] as? [String] == ["db -> \(hostile.outside)/db"])
        // To trust the manifest is not to let the links out.
        #expect(object["isSandboxed"] as? Bool == true)
        #expect(try hostile.picture == before)
        let free = try faultline("replay", "case", "--target", hostile.manifest, "--no-sandbox")
        #expect(free.status == 1 && free.output.contains("They were followed."), "\(free)")
        #expect(try hostile.picture != before)
    }

    @Test func `an import leaves links out of its image and says so`() throws {
        let hostile = try HostileCase([("a/db", "OUT/db"), ("in", "a")], in: scratch)
        let exported = try faultline("case", "export", "case", "-o", "case.tar", "--anyway")
        #expect(exported.status == 0, "\(exported)")
        let imported = try faultline("case", "import", "case.tar", "-o", "imported")
        #expect(imported.status == 0, "\(imported)")
        #expect(imported.output.contains("left out of its image, since it leads out of it: the link a/db -> "))
        let image = scratch.url.path + "/imported/image"
        #expect(try FileManager.default.subpathsOfDirectory(atPath: image).sorted() == ["a", "in"])
        let links = try String(contentsOfFile: scratch.url.path + "/imported/image.links", encoding: .utf8)
        #expect(links == "a/db -> \(hostile.outside)/db\n")
    }

    /// A store that the sandbox alone keeps from opening must not pass for a broken one.
    @Test func `a store that needs what its link leads to is no violation`() throws {
        let hostile = try HostileCase([], in: scratch)
        let script = """
            #!/bin/sh
            cd "$FAULTLINE_DIR"; echo x >> db || { echo 'no log' >&2; exit 1; }
            echo '{"end":true}'
            """
        try script.write(toFile: scratch.url.path + "/store.sh", atomically: false, encoding: .utf8)
        let store = try scratch.make("store")
        try hostile.plant([("db", "OUT/db")], in: store)
        let arguments = [
            "validate", "--target", hostile.manifest, "--work-dir", "store", "--oracle", "case/oracle.jsonl",
        ]
        let validation = try Faultline.run(arguments, directory: scratch.url.path)
        #expect(validation.status == 2, "\(validation)")
        #expect(validation.error.contains("db -> \(hostile.outside)/db") && validation.error.contains("--no-sandbox"))
        let free = try Faultline.run(arguments + ["--no-sandbox"], directory: scratch.url.path)
        #expect(free.status == 1 && free.output.contains("broken: durable"), "\(free)")
        // Without a link it is the target that cannot live in a sandbox.
        try FileManager.default.removeItem(atPath: store.shown + "/db")
        let elsewhere = script.replacing(">> db", with: ">> \(hostile.outside)/db")
        try elsewhere.write(toFile: scratch.url.path + "/store.sh", atomically: false, encoding: .utf8)
        let control = try Faultline.run(arguments, directory: scratch.url.path)
        #expect(control.status == 2 && control.error.contains("without any fault"), "\(control)")
        #expect(control.error.contains("--no-sandbox"), "\(control)")
    }

    /// No link is needed: SQLite's rollback deletes the super-journal that a journal names.
    @Test func `a path inside a file leads nowhere either`() throws {
        let hostile = try HostileCase([], in: scratch)
        let store = try scratch.make("store").shown
        let setting = [
            "--target", "sqlite", "--set", "journal_mode=delete", "--work-dir", "store", "--oracle", "oracle",
        ]
        let work = try Faultline.run(
            ["workload", "--ops", "5", "--allow-same-filesystem"] + setting, directory: scratch.url.path)
        #expect(work.status == 0, "\(work)")
        for isSandboxed in [true, false] {
            let size = try Data(contentsOf: URL(filePath: store + "/a.db")).count
            try Data(Self.journal(naming: "\(hostile.outside)/db", pageCount: size / 4096))
                .write(to: URL(filePath: store + "/a.db-journal"))
            let validation = try Faultline.run(
                ["validate"] + setting + (isSandboxed ? [] : ["--no-sandbox"]), directory: scratch.url.path)
            let isThere = FileManager.default.fileExists(atPath: "\(hostile.outside)/db")
            #expect(isThere == isSandboxed, "\(validation)")
        }
    }

    /// A hot journal without pages, which names a super-journal (https://sqlite.org/fileformat.html#the_rollback_journal).
    private static func journal(naming path: String, pageCount: Int) -> [UInt8] {
        func bytes(_ number: Int) -> [UInt8] { withUnsafeBytes(of: UInt32(number).bigEndian, Array.init) }
        let magic: [UInt8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]
        let header = magic + bytes(0) + bytes(1) + bytes(pageCount) + bytes(512) + bytes(4096)
        let name = Array(path.utf8)
        let sum = name.reduce(0) { $0 + Int($1) }
        return header + [UInt8](repeating: 0, count: 512 - header.count) + bytes(0x4000_0000 / 4096 + 1) + name
            + bytes(name.count) + bytes(sum) + magic
    }

    @Test func `validate leaves nothing behind`() throws {
        let hostile = try HostileCase([], in: scratch)
        _ = try scratch.make("store")
        let before = try FileManager.default.contentsOfDirectory(atPath: ScratchSpace.parent().shown)
        let validation = try faultline(
            "validate", "--target", hostile.manifest, "--work-dir", "store", "--oracle", "case/oracle.jsonl")
        #expect(validation.status == 1, "\(validation)")
        let alone = try FileManager.default.contentsOfDirectory(atPath: ScratchSpace.parent().shown)
            .filter { $0.contains("-alone-") && !before.contains($0) }
        #expect(alone == [])
        // What the store wrote itself.
        let left = try FileManager.default.contentsOfDirectory(atPath: scratch.url.path + "/store").sorted()
        #expect(left == ["db", "new"])
    }

    // MARK: - Runs

    @Test(.enabled(if: TestMachine.hasFUSE)) func `derived states of an own run cannot be left either`() throws {
        let hostile = try HostileCase([], in: scratch)
        let before = try hostile.picture
        let explored = try faultline("explore", hostile.manifest, "--ops", "1", "--states", "3")
        #expect(explored.status == 1, "\(explored)")
        #expect(try hostile.picture == before)
        let run = scratch.url.path + "/faultline-runs/faultline-hostile-explore-1-1"
        let image = run + "/cases/1/image"
        #expect(try Tree(skeletonOf: ByteString(image)).escapingLinks() == [])
        // What was left of it may have come from anywhere; recoveries are crashed, and written after, on mounts.
        let resumed = try faultline("explore", hostile.manifest, "--ops", "1", "--resume", run)
        #expect(resumed.status == 1, "\(resumed)")
        #expect(try hostile.picture == before)
        let free = try faultline("explore", hostile.manifest, "--ops", "1", "--states", "3", "--no-sandbox")
        #expect(free.status == 1, "\(free)")
        #expect(try hostile.picture != before)
    }

    @Test(.enabled(if: TestMachine.hasFUSE)) func `recoveries on mounts cannot leave either`() throws {
        let hostile = try HostileCase([], in: scratch)
        let before = try hostile.picture
        let options = ["--ops", "1", "--depth", "2", "--writable", "--profile", "strict"]
        let explored = try Faultline.run(
            ["explore", hostile.manifest, "--states", "2"] + options, directory: scratch.url.path)
        #expect(explored.status == 1, "\(explored)")
        #expect(try hostile.picture == before)
        let run = scratch.url.path + "/faultline-runs/faultline-hostile-explore-1-1"
        let resumed = try Faultline.run(
            ["explore", hostile.manifest, "--resume", run] + options, directory: scratch.url.path)
        #expect(resumed.status == 1, "\(resumed)")
        #expect(try hostile.picture == before)
    }

    /// The directory that a live cut or a fault leaves is recovered itself, not only the states that are derived.
    @Test(
        .enabled(if: TestMachine.hasFUSE),
        arguments: [
            ["--scenario", "power-cut", "--cycles", "2"], ["--scenario", "power-cut", "--cut-at", "recovery"],
            ["--scenario", "io-error", "--rule", "write nth=2 -> EIO"],
        ])
    func `what a live cut or a fault leaves cannot be left either`(options: [String]) throws {
        let hostile = try HostileCase([], in: scratch)
        let before = try hostile.picture
        let run = try Faultline.run(
            ["run", hostile.manifest, "--ops", "4"] + options, directory: scratch.url.path)
        #expect(run.output.contains("hostile"), "\(run)")
        #expect(try hostile.picture == before, "\(run)")
    }

    // MARK: - Where there is no sandbox

    /// A user namespace without further ones and without the privilege to mount.
    private static let poor = [
        "unshare", "-U", "--map-root-user", "sh", "-c",
        #"echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --bounding-set -sys_admin "$@""#, "sh",
    ]

    private static let canBePoor: Bool =
        (try? Faultline.run(poor + ["true"], of: "/usr/bin/env"))?.status == 0

    @Test(.enabled(if: canBePoor, "no user namespace can be made that has none")) func `links are refused`() throws {
        let hostile = try HostileCase([("a/db", "OUT/db")], in: scratch)
        let before = try hostile.picture
        let program = try #require(Faultline.path)
        func poor(_ arguments: String...) throws -> Faultline.Answer {
            try Faultline.run(Self.poor + [program] + arguments, directory: scratch.url.path, of: "/usr/bin/env")
        }
        let store = try scratch.make("store")
        try hostile.plant([("a/db", "OUT/db")], in: store)
        for command in [
            ["replay", "case"], ["minimise", "case"],
            ["validate", "--work-dir", "store", "--oracle", "case/oracle.jsonl"],
        ] {
            let arguments = Self.poor + [program] + command + ["--target", hostile.manifest]
            let refused = try Faultline.run(arguments, directory: scratch.url.path, of: "/usr/bin/env")
            #expect(refused.status == 2, "\(refused)")
            #expect(refused.error.contains("the link a/db -> \(hostile.outside)/db leads out"), "\(refused)")
            #expect(refused.error.contains("--trust"), "\(refused)")
        }
        #expect(try hostile.picture == before)
        let doctor = try poor("doctor")
        #expect(doctor.output.contains("states with links that lead out of them are refused"), "\(doctor)")
        #expect(doctor.output.contains("sudo sysctl user.max_user_namespaces"), "\(doctor)")
        let trusted = try poor("replay", "case", "--target", hostile.manifest, "--trust")
        #expect(trusted.status == 1 && trusted.output.contains("They were followed."), "\(trusted)")
    }
}
