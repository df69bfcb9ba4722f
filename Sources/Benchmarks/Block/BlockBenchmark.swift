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
        rows.append(
            BenchmarkRow(
                name:
                    "\(filesystem.rawValue): the kernel alone: a clean image mounted and unmounted, on as many threads",
                value: try kernelAlone(filesystem), unit: "images/s", baseline: "the images of the row above",
                baselineValue: result.states.ratePerSecond, aim: .none))
        guard let block = result.block else { return rows }
        rows.append(
            BenchmarkRow(
                name: "\(filesystem.rawValue): images in which SQLite recovered; the others held files known to it",
                value: Double(block.recovered ?? 0) / Double(max(1, block.images)) * 100, unit: "%",
                baseline: "all images", baselineValue: 100, aim: .none))
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

    private static let kernelSeconds = 3.0

    /// How many images a second the kernel mounts and unmounts, if nothing else is done with them and no journal has to be
    /// replayed: by system calls, on as many threads as an exploration has.
    private func kernelAlone(_ filesystem: BlockFilesystem) throws -> Double {
        try withScratch { scratch in
            let count = BlockImages.workers
            let places = try (1...count).map { number in
                let place = scratch.appending(component: ByteString("alone-\(number)"))
                let mountPoint = place.appending(component: "mount")
                for directory in [place, mountPoint] { try RunFiles.makeDirectory(directory) }
                let file = place.appending(component: "disk")
                try FreshFilesystem.make(filesystem, at: file, in: place, mountPoint: mountPoint)
                return (place: place, file: file, mountPoint: mountPoint)
            }
            let began = MonotonicTime.seconds()
            let rounds = try Parallel.map(places, workers: count) { _, place in
                let device = try LoopDevice(place.file, in: place.place, isDirect: false)
                defer { device.release() }
                var rounds = 0
                while MonotonicTime.seconds() - began < Self.kernelSeconds {
                    try device.dropCache()
                    try BlockMount(device, filesystem, at: place.mountPoint).end()
                    rounds += 1
                }
                return rounds
            }
            return Double(rounds.reduce(0) { $0 + ($1 ?? 0) }) / (MonotonicTime.seconds() - began)
        }
    }

    private static let handRounds = 40

    /// The images per second of a hand-written loop, as in a shell script.
    private func handLoop(_ filesystem: BlockFilesystem) throws -> Double {
        try withScratch { try handLoop(filesystem, in: $0) }
    }

    private func withScratch(_ body: (ByteString) throws -> Double) throws -> Double {
        let run = try RunDirectory(in: RunDirectory.parent(option: nil), target: "bench", scenario: "block", seed: 1)
        defer {
            try? run.finish()
            try? TreeRemoval.remove(run.path)
        }
        return try body(try run.makeScratch())
    }

    private func handLoop(_ filesystem: BlockFilesystem, in scratch: ByteString) throws -> Double {
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
