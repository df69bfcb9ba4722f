import Foundation
import TestDevices
import Testing

/// `run`, `replay` and what is left of them, as a user calls them.
@Suite(.enabled(if: Faultline.path != nil, "the program was not built beside the tests"))
struct RunCommandTests {
    private let temporary: TemporaryDirectory

    init() throws { temporary = try TemporaryDirectory() }

    @Test(arguments: [
        (["run", "nonsense", "--scenario", "smoke"], "known targets: engine, events, sqlite"),
        (["run", "engine", "--scenario", "nonsense"], "power-cut"),
        (["run", "sqlite", "--scenario", "smoke", "--set", "journal_mode=x"], "allowed: delete"),
        (["run", "sqlite", "--scenario", "smoke", "--set", "nonsense=1"], "journal_mode"),
        (["run", "engine", "--scenario", "smoke", "--ops", "0"], "from 1 to 1000000"),
        (["run", "engine", "--scenario", "smoke", "--contract", "x"], "durable"),
        (["run", "engine", "--scenario", "smoke", "--threads", "0"], "from 1 to 256"),
        (["run", "engine", "--scenario", "kill", "--threads", "2", "--contract", "ordered"], "for one client"),
        (["explore", "engine", "--threads", "2"], "one client"),
        (["run", "engine", "--scenario", "kill", "--cut-at", "unlink"], "for --scenario power-cut"),
        (["run", "engine", "--scenario", "power-cut", "--cut-at", "moon"], "none of work, create"),
        (["run", "engine", "--scenario", "power-cut", "--cut-at", "write -> EIO"], "does not cut the power"),
        (["replay", "is-not-there"], "is not there"),
        (["matrix", "--jobs", "0"], "from 1 to 64"),
        (["bench", "cycle", "--rounds", "0"], "from 1 to 1000"),
    ])
    func whatCannotBeRunSaysWhatCan(_ arguments: [String], _ hint: String) throws {
        let answer = try Faultline.run(arguments, directory: temporary.path)
        #expect(answer.status == 2)
        #expect(answer.error.contains(hint), "\(answer.error)")
    }

    @Test(arguments: ["{}", "not json", #"{"version":99}"#])
    func aDamagedCaseIsAnErrorWithItsPath(_ text: String) throws {
        let directory = temporary.path + "/case"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        try Data(text.utf8).write(to: URL(filePath: directory + "/case.json"))
        let answer = try Faultline.run(["replay", "case"], directory: temporary.path)
        #expect(answer.status == 2)
        #expect(answer.error.contains("case/case.json"), "\(answer.error)")
    }

    @Test(.enabled(if: FullDevice.isThere, "\(FullDevice.absence)"))
    func anErrorThatNobodyCanReadStillHasItsExitCode() throws {
        let process = Process()
        process.executableURL = URL(filePath: try #require(Faultline.path))
        process.arguments = ["run", "nonsense", "--scenario", "smoke"]
        process.standardError = FileHandle(forWritingAtPath: FullDevice.path)
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationReason == .exit)
        #expect(process.terminationStatus == 2)
    }

    @Test func aSmokeRunPassesAndPrintsOneObject() throws {
        let arguments = ["run", "engine", "--scenario", "smoke", "--ops", "20", "--json", "--out", "runs"]
        let answer = try Faultline.run(arguments, directory: temporary.path)
        #expect(answer.status == 0, "\(answer.error)")
        let object = try #require(try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any])
        #expect(object["verdict"] as? String == "pass")
        // Twenty, and after the store was opened again twenty more.
        #expect(object["acknowledged"] as? Int == 40)
        #expect(object["notTried"] as? [String] == [])
        #expect(object["contract"] as? String == "ordered")
    }

    /// SIGINT while the store is at work on the mount: the mount is gone, nothing runs, the scratch space is empty.
    @Test(
        .enabled(if: TestMachine.hasFUSE, "needs /dev/fuse"),
        arguments: [0.3, 1.2])
    func ctrlCLeavesNothingBehind(_ seconds: Double) throws {
        let process = Process()
        process.executableURL = URL(filePath: try #require(Faultline.path))
        process.arguments = [
            "run", "sqlite", "--scenario", "power-cut", "--ops", "20000", "--out", temporary.path + "/runs",
        ]
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let id = process.processIdentifier
        Thread.sleep(forTimeInterval: seconds)
        process.interrupt()
        process.waitUntilExit()
        #expect(process.terminationReason == .exit)
        #expect(process.terminationStatus == 130)
        let mounts = try String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)
        #expect(!mounts.contains("faultline-\(id) "))
        let scratch = try FileManager.default.contentsOfDirectory(atPath: "/dev/shm")
        let name = "faultline-scratch-\(getuid())-\(id)-"
        #expect(!scratch.contains { $0.hasPrefix(name) })
        #expect(try processes(mentioning: name).isEmpty)
    }

    private func processes(mentioning text: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { Int($0) != nil }.filter { id in
            guard let bytes = FileManager.default.contents(atPath: "/proc/\(id)/environ") else { return false }
            return String(decoding: bytes, as: UTF8.self).contains(text)
        }
    }
}
