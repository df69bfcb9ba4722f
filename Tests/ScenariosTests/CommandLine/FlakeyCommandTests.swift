import Foundation
import Machine
import Testing

/// What the guest takes; what is missing is said once.
private let hasGuest: Bool = {
    guard Faultline.path != nil else { return false }
    let driver = Requirement("built-in targets", met: true, "there")
    guard let obstacle = Doctor(driver: driver).obstacle(to: [.virtualMachine]) else { return true }
    print("SKIPPED: devices that fail, in the guest: \(obstacle)")
    return false
}()

private let repository = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardized

/// `run --scenario flakey` and the scripts over it. Each test starts one guest.
@Suite(.enabled(if: hasGuest), .serialized) struct FlakeyCommandTests {
    private let temporary: TemporaryDirectory

    init() throws { temporary = try TemporaryDirectory() }

    private static let guest = ["--machine", "guest", "--guest-accelerator", "tcg"]

    @Test func `a store that never syncs loses data in the guest, and its case is replayed here`() throws {
        let answer = try Faultline.run(
            [
                "run", "engine", "--set", "planted=never-sync", "--scenario", "flakey", "--ops", "8", "--fault",
                "error_writes", "--at", "after", "--out", "runs", "--json",
            ] + Self.guest, directory: temporary.path)
        #expect(answer.status == 1, "\(answer)")
        let json = Data(answer.output.utf8)
        #expect(try JSONSchema("run.json").problems(of: json) == [])
        let result = try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
        let trials = try #require(result["flakey"] as? [[String: Any]])
        #expect(trials.map { $0["outcome"] as? String } == ["violation"])
        #expect((result["guest"] as? [String: Any])?["accelerator"] as? String == "tcg")
        let directory = try #require(result["directory"] as? String)
        #expect(directory == temporary.path + "/runs/faultline-engine-flakey-1-1")
        let kept = try Data(contentsOf: URL(filePath: directory + "/result.json"))
        #expect(try JSONSchema("run.json").problems(of: kept) == [])
        let replay = try Faultline.run(["replay", directory + "/cases/1"], directory: temporary.path)
        #expect(replay.status == 1, "\(replay)")
    }

    @Test func `the script runs in the guest, where a store that syncs keeps everything under each fault and moment`()
        throws
    {
        let script = repository.appending(path: "scripts/power_loss_dm_flakey.sh").path()
        let answer = try Faultline.run(
            ["guest", "run", "--guest-accelerator", "tcg", "--", script, "--json"], directory: temporary.path,
            environment: [
                "FAULTLINE": try #require(Faultline.path), "FAULTLINE_POWERLOSS_OPS": "8",
                "FAULTLINE_POWERLOSS_FAULT": "error_writes drop_writes corrupt_bio_byte error_reads",
            ])
        // Debian's 6.1 has no error_reads: what was asked for and not tried is no pass.
        let result = try #require(
            try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any], "\(answer)")
        let trials = try #require(result["flakey"] as? [[String: Any]])
        func outcomes(_ fault: String) -> [String] {
            trials.filter { $0["fault"] as? String == fault }.compactMap { $0["outcome"] as? String }
        }
        #expect(outcomes("error_writes") == ["kept", "kept"], "\(answer)")
        #expect(outcomes("drop_writes") == ["kept", "kept"], "\(answer)")
        // Wrong bytes may break the filesystem. The engine must not show them.
        #expect(outcomes("corrupt_bio_byte").allSatisfy { ["kept", "filesystem"].contains($0) }, "\(answer)")
        #expect(result["findings"].map { "\($0)".contains("payloadIntegrity") } == false)
        if outcomes("error_reads") == ["not-tried", "not-tried"] {
            #expect(answer.status == 2 && answer.error.contains("no answer about the store"), "\(answer)")
        }
    }
}

/// The scripts on a machine without device-mapper, and with directories that are not theirs.
@Suite(.enabled(if: Faultline.path != nil)) struct PowerLossScriptTests {
    private let temporary: TemporaryDirectory

    init() throws { temporary = try TemporaryDirectory() }

    private func run(_ script: String, _ arguments: [String] = []) throws -> (status: Int32, text: String) {
        let (process, output) = (Process(), Pipe())
        process.executableURL = repository.appending(path: "scripts/\(script)")
        process.arguments = arguments
        process.environment = [
            "PATH": "/usr/local/bin:/usr/bin:/bin", "TMPDIR": temporary.path, "FAULTLINE": Faultline.path ?? "",
        ]
        (process.standardOutput, process.standardError) = (output, output)
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }

    private func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: temporary.path).sorted()
    }

    @Test func `without device-mapper the script says what is missing, and how to go on`() throws {
        let misc = (try? String(contentsOfFile: "/proc/misc", encoding: .utf8)) ?? ""
        guard !misc.contains("device-mapper") else { return }
        let answer = try run("power_loss_dm_flakey.sh")
        #expect(answer.status == 2)
        #expect(answer.text.contains("dm-flakey: this kernel has no device-mapper"), "\(answer.text)")
        #expect(answer.text.contains("guest run -- "), "\(answer.text)")
    }

    @Test func `cleanup takes away its own directories alone, and a second time there is nothing`() throws {
        func make(_ name: String, _ runFile: String?) throws {
            let url = URL(filePath: temporary.path + "/" + name)
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
            if let runFile { try Data(runFile.utf8).write(to: url.appending(path: "power-loss.run")) }
        }
        try make("faultline-power-loss-dead", "1 1\n")
        try make("faultline-power-loss-bare", nil)
        let own = try String(contentsOfFile: "/proc/self/stat", encoding: .utf8).split(separator: " ")
        try make("faultline-power-loss-alive", "\(own[0]) \(own[21])\n")
        try make("precious", "1 1\n")
        try FileManager.default.createSymbolicLink(
            atPath: temporary.path + "/faultline-power-loss-link", withDestinationPath: temporary.path + "/precious")
        let all = try names()
        let answer = try run("power_loss_cleanup.sh", all.map { temporary.path + "/" + $0 })
        #expect(answer.status == 2)
        #expect(try names() == all.filter { $0 != "faultline-power-loss-dead" }, "\(answer.text)")
        for (name, reason) in [
            ("faultline-power-loss-bare", "it has no run file"), ("faultline-power-loss-alive", "its run goes on"),
            ("precious", "its name does not begin"), ("faultline-power-loss-link", "it is no directory"),
        ] {
            #expect(answer.text.contains("\(name) is left alone: \(reason)"), "\(answer.text)")
        }
        let again = try run("power_loss_cleanup.sh", [temporary.path + "/faultline-power-loss-dead"])
        #expect(again.status == 0, "\(again.text)")
    }
}
