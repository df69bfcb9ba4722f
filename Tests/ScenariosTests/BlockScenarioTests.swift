import Bytes
import Exploration
import Foundation
import Model
import Oracle
import Report
import Targets
import Testing

@testable import Block
@testable import Machine
@testable import Replay
@testable import Runs
@testable import Scenarios

/// What a run below a real filesystem needs; what is missing is said once.
private let isAble: Bool = {
    let needs: [MachineNeed] = [.root, .fuse, .loopDevices]
    let driver = Requirement("built-in targets", met: true, "there")
    guard let obstacle = Doctor(driver: driver).obstacle(to: needs) else { return true }
    print("SKIPPED: runs below real filesystems: \(obstacle)")
    return false
}()

/// Stores on real filesystems, whose devices lose what was not flushed.
@Suite(.enabled(if: isAble), .serialized) struct BlockScenarioTests {
    private let targets = TargetCatalog(driver: TestMachine.driver)
    private let scratch = Scratch()

    private func run(
        _ name: String, _ settings: [String] = [], _ filesystem: BlockFilesystem, ops: UInt64 = 4,
        _ change: (inout ExploreScenario) -> Void = { _ in }
    ) throws -> RunResult {
        var scenario = ExploreScenario()
        scenario.explore(below: filesystem)
        (scenario.limits.statesPerEpoch, scenario.limits.samplesPerEpoch, scenario.limits.pairedAtoms) = (4, 2, 0)
        change(&scenario)
        let target = try targets.target(name).configured(settings.map { try Setting(parsing: $0) })
        let request = RunRequest(
            target: target, scenario: scenario, contract: target.contract, operationCount: ops)
        return RunSession(parent: ByteString(scratch.url.path), program: "faultline", wording: English()).run(request)
    }

    private static let losing = ["journal_mode=delete", "synchronous=full"]
    private static let keeping = ["journal_mode=delete", "synchronous=extra"]

    @Test(arguments: [BlockFilesystem.ext4, .xfs, .btrfs])
    func `SQLite's unlinked journal comes back, and synchronous=extra keeps it away`(
        filesystem: BlockFilesystem
    ) throws {
        guard FilesystemTool.find(filesystem.makeWords(sectorBytes: 4096)[0]) != nil else { return }
        let lost = try run("sqlite", Self.losing, filesystem)
        #expect(lost.verdict == .violation, "\(lost.reason ?? "")")
        #expect(lost.findings.map(\.check) == [.durable], "\(lost.findings.map(\.story))")
        #expect(lost.profile == .one(.block))
        let block = try #require(lost.block)
        #expect(block.filesystem == filesystem && block.images >= lost.states.checked)
        let kept = try run("sqlite", Self.keeping, filesystem)
        #expect(kept.verdict == .pass, "\(kept.reason ?? "")")
        #expect(kept.controls.statesWithLosses > 0 && kept.controls.detected == kept.controls.mutations)
    }

    @Test func `the built-in engine is explored through its commands, and passes`() throws {
        let result = try run("engine", [], .ext4)
        #expect(result.verdict == .pass, "\(result.reason ?? "")")
        #expect((result.block?.images ?? 0) > 0)
    }

    @Test func `a filesystem without a journal breaks, and that is no violation of the store`() throws {
        let result = try run("sqlite", Self.keeping, .ext2) { $0.block?.checkPeriod = 1 }
        #expect(result.verdict == .filesystem, "\(result.reason ?? "")")
        #expect(result.verdict.exitCode == 3)
        #expect(result.findings.allSatisfy { $0.check == .filesystem })
        #expect(result.findings.contains { $0.story.contains("e2fsck -f -n exited with") })
        #expect(result.block?.checkedByFilesystem ?? 0 >= result.states.checked)
    }

    @Test func `a case is a disk image: it is mounted for whoever trusts it, and shows the same`() throws {
        let result = try run("sqlite", Self.losing, .ext4)
        let finding = try #require(result.findings.first)
        let directory = ByteString(try #require(finding.case))
        #expect(finding.replay?.contains("--trust") == true)
        let place = ByteString(scratch.url.path)
        #expect(throws: CaseError.diskImageNotTrusted(directory)) {
            try Replay(directory: directory, targets: targets, wording: English()).run(scratch: place)
        }
        let replay = try Replay(directory: directory, targets: targets, trusts: true, wording: English())
        #expect(replay.words == ["--trust"])
        let outcome = try replay.run(scratch: try scratch.make("replay"))
        #expect(outcome.judgement.broken == [.durable])
        let recheck = try Recheck(replay)
        let again = recheck.run(in: RunSession(parent: place, program: "faultline", wording: English())) { _ in }
        guard case .shows = again.outcome else {
            Issue.record("\(again.outcome)")
            return
        }
    }

    @Test func `a rule that never fires is told`() throws {
        let result = try run("sqlite", ["journal_mode=wal", "synchronous=full"], .ext4, ops: 8) {
            $0.rules = [try! Rule(parsing: "read path=disk nth=900000 -> EIO")]
        }
        #expect(result.verdict == .inconclusive && result.reason?.contains("no rule fired") == true)
        #expect(result.block?.device == nil)
    }

    /// The device's flush fails: each gives up in its own way, and none of it is the store's fault.
    @Test(arguments: [
        (BlockFilesystem.ext4, FilesystemReaction.State.readOnly), (.xfs, .shutDown), (.btrfs, .readOnly),
    ])
    func `a filesystem's reaction to a fault of its device is told`(
        filesystem: BlockFilesystem, state: FilesystemReaction.State
    ) throws {
        guard FilesystemTool.find(filesystem.makeWords(sectorBytes: 4096)[0]) != nil else { return }
        let rule = "fsync path=disk nth=16 -> EIO"
        let result = try run("sqlite", ["journal_mode=wal", "synchronous=full"], filesystem, ops: 12) {
            $0.rules = [try! Rule(parsing: rule)]
        }
        #expect(result.verdict != .violation && result.verdict != .harnessError, "\(result.reason ?? "")")
        #expect(result.acknowledged < 12)
        let device = try #require(result.block?.device)
        #expect(device.fault?.rule == rule)
        #expect(device.reaction?.state == state, "\(device)")
        if access("/dev/kmsg", R_OK) == 0 { #expect(device.reaction?.kernelLog.isEmpty == false, "\(device)") }
        let text = RunReport(result).text(for: .plain)
        #expect(text.contains(rule) && text.contains("after the workload: \(state.rawValue)"), "\(text)")
    }

    /// A write of data that fails leaves ext4 mounted; whether it loses a later commit depends on which write it is.
    @Test func `what ext4 loses after a fault of its device is no violation of the store`() throws {
        var wasLost = false
        for number in [30, 34, 38, 42, 46] where !wasLost {
            let result = try run("sqlite", ["journal_mode=wal", "synchronous=full"], .ext4, ops: 20) {
                $0.rules = [try! Rule(parsing: "write path=disk nth=\(number) -> EIO")]
            }
            #expect(result.verdict != .violation, "\(result.reason ?? "")")
            guard let finding = result.findings.first else { continue }
            wasLost = true
            #expect(result.verdict == .filesystem && result.verdict.exitCode == 3)
            #expect(result.findings.allSatisfy { $0.check == .filesystem && $0.followsDeviceFault })
            #expect(finding.account?.headline.hasPrefix("after a fault of the device: ") == true)
            // The same workload was explored without the fault, and passed.
            let control = try #require(result.block?.device?.withoutFault)
            #expect(control.findings == 0 && control.decided > 0 && control.obstacle == nil)
            let replay = try Replay(
                directory: ByteString(try #require(finding.case)), targets: targets, trusts: true, wording: English())
            #expect(try replay.run(scratch: try scratch.make("replay")).judgement.verdict == .filesystem)
        }
        if !wasLost { print("ext4 lost nothing after five faults: seen only where a data write fails") }
    }

    @Test func `what the store loses without any fault, too, is its own, whatever the device did`() throws {
        // The first flush is that of the mount: all that the store does comes after the fault.
        let result = try run("sqlite", Self.losing, .ext4) {
            $0.rules = [try! Rule(parsing: "fsync path=disk nth=1 -> lie")]
        }
        #expect(result.verdict == .violation, "\(result.reason ?? "")")
        #expect(result.block?.device?.fault?.linesBefore == 0)
        #expect(result.findings.contains { $0.check == .durable && !$0.followsDeviceFault })
        #expect((result.block?.device?.withoutFault?.findings ?? 0) > 0)
    }

    @Test(arguments: [
        ("depth", ["2"]), ("writable", ["true"]), ("workloads", ["small"]),
    ])
    func `what records recoveries is refused`(name: String, texts: [String]) throws {
        let scenario = try ExploreScenario.reading(["block": ["xfs"], name: texts], in: .commandLine)
        let target = try targets.target("engine").configured()
        let request = RunRequest(target: target, scenario: scenario, contract: .durable)
        #expect(request.optionProblem(from: .commandLine, program: "faultline")?.option == name)
    }

    @Test func `a profile of files is refused, and the printed command names none`() throws {
        let scenario = try ExploreScenario.reading(["block": ["xfs"], "fsck": ["3"]], in: .commandLine)
        let target = try targets.target("engine").configured()
        let request = RunRequest(target: target, scenario: scenario, profile: .posixMin, contract: .durable)
        #expect(request.optionProblem(from: .commandLine, program: "faultline")?.option == "profile")
        #expect(request.profile == .block)
        let words = request.arguments()
        #expect(!words.contains("--profile"))
        #expect(words.contains("--block") && words.contains("xfs") && words.contains("--fsck"))
        #expect(throws: OptionProblem.self) { try ExploreScenario.reading(["block": ["zfs"]], in: .commandLine) }
        #expect(throws: OptionProblem.self) { try ExploreScenario.reading(["fsck": ["2"]], in: .commandLine) }
        #expect(throws: OptionProblem.self) { try ExploreScenario.reading(["block": ["xfs"], "sector": ["1024"]]) }
    }

    @Test func `what a profile allows is looked for on a real filesystem, and the case keeps the answer`() throws {
        let target = try targets.target("sqlite").configured(Self.losing.map { try Setting(parsing: $0) })
        var files = ExploreScenario()
        (files.limits.statesPerEpoch, files.limits.samplesPerEpoch, files.limits.pairedAtoms) = (64, 4, 0)
        let session = RunSession(parent: ByteString(scratch.url.path), program: "faultline", wording: English())
        let result = session.run(
            RunRequest(target: target, scenario: files, contract: target.contract, operationCount: 4))
        let directory = ByteString(try #require(result.findings.first?.case))
        let looks = try CaseConfirmation.open(
            directory, targets: targets, reference: nil, trusts: false, isSandboxed: true, wording: English()
        ) { confirmation, isArchive in
            #expect(!isArchive)
            let looks = confirmation.run(
                below: [.ext4, .xfs], seconds: 30, in: session,
                lacking: { $0.contains(.makeFilesystem("xfs")) ? "no mkfs.xfs" : nil }, progress: { _ in })
            try confirmation.keep(looks.map(\.confirmation))
            return looks.map(\.confirmation)
        }
        #expect(looks.map(\.isSeen) == [true, false])
        #expect(looks[1].outcome == .cannotBeSeen(reason: "no mkfs.xfs"))
        #expect(Runs.Confirmation.verdict(of: looks) == .violation)
        #expect(try CaseRecord(directory: directory).confirmed == looks)
        // The case shows what it showed.
        let replay = try Replay(directory: directory, targets: targets, wording: English())
        #expect(try replay.run(scratch: try scratch.make("replay")).judgement.broken == [.durable])
    }
}
