import Block
import Bytes
import Exploration
import Machine
import Platform
import Runs
import Scenarios
import Storage
import Targets

/// The rate of mounting, recovering (SQLite) and judging crash images of real filesystems, compared with a hand-written
/// loop in the same run; and where the time goes.
package struct BlockBenchmark {
    private let targets: TargetCatalog
    private let seconds: Int
    private let wording: any Wording

    /// - Parameter seconds: the time to explore each filesystem.
    package init(targets: TargetCatalog, seconds: Int, wording: any Wording) {
        (self.targets, self.seconds, self.wording) = (targets, seconds, wording)
    }

    package func rows() throws -> [BenchmarkRow] {
        try [(BlockFilesystem.ext4, 300.0), (.xfs, nil), (.btrfs, nil)].flatMap { filesystem, aim in
            guard FilesystemTool.find(filesystem.checkWords[0]) != nil else {
                StandardError.say("faultline: no \(filesystem.checkWords[0]) here: \(filesystem.rawValue) is left out")
                return [BenchmarkRow]()
            }
            return try rows(filesystem, aim)
        }
    }

    private func rows(_ filesystem: BlockFilesystem, _ aim: Double?) throws -> [BenchmarkRow] {
        // Alternate with the hand-written loop, because the machine's speed varies.
        let before = try handLoop(filesystem)
        let result = try explore(filesystem)
        let byHand = (before + (try handLoop(filesystem))) / 2
        var rows = [
            BenchmarkRow(
                name: "\(filesystem.rawValue): distinct images mounted, recovered by SQLite and judged",
                value: result.states.ratePerSecond, unit: "images/s",
                baseline: "by hand: copy, mount -o loop, list, umount, on one thread", baselineValue: byHand,
                aim: aim.map { .atLeast($0) } ?? .none)
        ]
        guard let block = result.block else { return rows }
        let total = block.seconds.values.reduce(0, +)
        func share(_ steps: [ImageTally.Step]) -> Double {
            steps.reduce(0) { $0 + (block.seconds[$1.rawValue] ?? 0) } / total * 100
        }
        rows.append(
            BenchmarkRow(
                name: "\(filesystem.rawValue): of the time of an image, the kernel's mount and umount",
                value: share([.mount, .unmount]), unit: "%", baseline: "the store's two recoveries",
                baselineValue: share([.recover]), aim: .none))
        return rows
    }

    private func explore(_ filesystem: BlockFilesystem) throws -> RunResult {
        var scenario = ExploreScenario()
        scenario.explore(below: filesystem)
        scenario.budget = RunBudget(seconds: seconds, allowsPartial: true)
        let target = try targets.target("sqlite").configured([Setting(name: "journal_mode", value: "wal")])
        let request = RunRequest(
            target: target, scenario: scenario, contract: target.contract, operationCount: 100)
        return try ExploreBenchmark(targets: targets, seconds: seconds, states: 0, wording: wording).explore(request)
    }

    private static let handRounds = 40

    /// The images per second of a hand-written loop, as in a shell script.
    private func handLoop(_ filesystem: BlockFilesystem) throws -> Double {
        let run = try RunDirectory(in: RunDirectory.parent(option: nil), target: "bench", scenario: "block", seed: 1)
        defer {
            try? run.finish()
            try? TreeRemoval.remove(run.path)
        }
        let scratch = try run.makeScratch()
        let (base, copy) = (scratch.appending(component: "base"), scratch.appending(component: "copy"))
        let mountPoint = scratch.appending(component: "mount")
        try RunFiles.makeDirectory(mountPoint)
        try FreshFilesystem.make(filesystem, at: base, in: scratch, mountPoint: mountPoint)
        let began = MonotonicTime.seconds()
        for _ in 0..<Self.handRounds {
            try FilesystemTool.run(["cp", "--sparse=always"], [base, copy], package: "coreutils")
            try FilesystemTool.run(
                ["mount", "-n", "-o", "loop,nosuid,nodev", "-t", filesystem.type], [copy, mountPoint], package: "mount")
            try FilesystemTool.run(["ls", "-R"], [mountPoint], package: "coreutils")
            try FilesystemTool.run(["umount", "-n"], [mountPoint], package: "mount")
        }
        return Double(Self.handRounds) / (MonotonicTime.seconds() - began)
    }
}
