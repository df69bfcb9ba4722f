import Block
import Exploration
import Machine
import Model
import Runs
import Targets

extension ScenarioName {
    package static let flakey = ScenarioName(rawValue: "flakey")
}

/// A real filesystem on a device that fails, as dm-flakey makes it: the workload runs, the device fails after it or in its
/// middle, the filesystem is unmounted by force, and mounted again when the device works.
package struct FlakeyScenario: Scenario {
    package static let name = ScenarioName.flakey
    package static let summary =
        "a real ext4, xfs or btrfs on a device that fails (dm-flakey), unmounted by force and mounted again"
    package static let needs: [MachineNeed] = needs(below: .ext4)
    /// What the device loses is what a power cut would lose of it.
    package static let failureMode = FailureMode.powerCut

    package var faults = FlakeyScenario.usualFaults
    package var moments = FlakeyMoment.allCases
    package var filesystem = BlockFilesystem.ext4
    /// The size of the device; nil for the filesystem's usual one.
    package var sizeMebibytes: Int?
    package var cycleCount = 1
    /// Bytes of a key; nil for the workload's usual ones.
    package var keyBytes: Int?
    /// The workload begins no operation after this time; nil for none.
    package var durationSeconds: Int?

    /// Every kernel with dm-flakey has these.
    private static let usualFaults: [FlakeyFault] = [.errorWrites, .dropWrites]
    private static let sizeRange = 16...16_384

    package init() {}

    package static let options: [ScenarioOption<FlakeyScenario>] = [
        ScenarioOption(
            "fault", .texts, "name", default: usualFaults.map(\.rawValue).joined(separator: " and "),
            """
            how the device fails, by device-mapper's name; may be repeated. error_writes: writes fail; drop_writes: they are \
            dropped and answered as done; corrupt_bio_byte: a byte of each is changed; and, if the kernel has them, \
            \(FlakeyFault.allCases.dropFirst(3).map(\.rawValue).joined(separator: ", "))
            """
        ) { (scenario, texts) throws(OptionProblem) in
            scenario.faults = try distinct(texts, of: "fault")
        } texts: { scenario in
            scenario.faults == usualFaults ? [] : scenario.faults.map(\.rawValue)
        }.kept(as: "flakey.faults"),
        ScenarioOption(
            "at", .texts, "moment", default: "both",
            "when the device begins to fail: after the workload, or during it, at a seeded acknowledgement; may be repeated"
        ) { (scenario, texts) throws(OptionProblem) in
            scenario.moments = try distinct(texts, of: "at")
        } texts: { scenario in
            scenario.moments == FlakeyMoment.allCases ? [] : scenario.moments.map(\.rawValue)
        }.kept(as: "flakey.moments"),
        ScenarioOption(
            "fs", .text, "filesystem", default: BlockFilesystem.ext4.rawValue,
            "the filesystem on the device: \(ExploreScenario.filesystemNames)"
        ) { (scenario, texts) throws(OptionProblem) in
            scenario.filesystem = try ExploreScenario.filesystem(texts, of: "fs")
        } texts: {
            [$0.filesystem.rawValue]
        }.kept(as: "block.filesystem").alwaysPrinted,
        .integer(
            "size", \.sizeMebibytes, in: sizeRange,
            "the size of the device in MiB; what is never written takes no room (default: 64, xfs 300, btrfs 256)"
        ).kept(as: "flakey.sizeMebibytes"),
        .integer(
            "cycles", \.cycleCount, in: 1...1000, default: "1",
            "how often each fault is tried at each moment, each time on a new filesystem and with another seed"
        ).kept(as: "cycles").alwaysPrinted,
        .integer("key-len", \.keyBytes, in: WorkloadShape.keyRange, "bytes of a key (default: as short as can be)")
            .kept(as: "flakey.keyBytes"),
        ScenarioOption(
            "duration", .text, "time", "the workload begins no operation after this time, such as 30s"
        ) { (scenario, texts) throws(OptionProblem) in
            scenario.durationSeconds = try OptionText.seconds(texts, of: "duration")
        } texts: { scenario in
            scenario.durationSeconds.map { ["\($0)s"] } ?? []
        }.kept(as: "flakey.durationSeconds"),
    ]

    /// Each value once, in the order given.
    private static func distinct<Value: CaseIterable & RawRepresentable<String> & Hashable>(
        _ texts: [String], of name: String
    ) throws(OptionProblem) -> [Value] {
        var values: [Value] = []
        for text in texts {
            guard let value = Value(rawValue: text) else {
                let known = Value.allCases.map(\.rawValue).joined(separator: ", ")
                throw OptionProblem(name, "\(option: name) must be one of \(known), not \(text)")
            }
            if !values.contains(value) { values.append(value) }
        }
        return values
    }

    package static func needs(below filesystem: BlockFilesystem) -> [MachineNeed] {
        [.root, .loopDevices, .deviceMapper("flakey"), .makeFilesystem(filesystem.type)]
    }

    /// What a flush has covered is there.
    package var fixedProfile: Profile? { .block }

    package func needs(on target: ConfiguredTarget) -> [MachineNeed] { Self.needs(below: filesystem) }

    package func optionProblem(
        in request: RunRequest, from place: OptionPlace?, program: String
    ) -> OptionProblem? {
        if moments.contains(.duringWorkload), request.operationCount < 2 {
            return OptionProblem("at", "\(option: "at") during needs \(option: "ops") above 1")
        }
        let least = Int(filesystem.sizeBytes >> 20)
        if let sizeMebibytes, filesystem.family != .ext4, filesystem.family != .ext2, sizeMebibytes < least {
            return OptionProblem(
                "size", "\(option: "size") must be at least \(least) for \(filesystem.rawValue)")
        }
        return nil
    }

    package func makeRun(_ request: RunRequest, _ context: RunContext, program: String) -> any ScenarioRun {
        FlakeyRun(self, request, context, program: program)
    }

    package func inconclusiveReason(for tally: RunTally) -> InconclusiveReason? {
        if tally.faultsFired == 0 { return .noFaultFired }
        return tally.flakey.first { $0.outcome == .notTried }.map(InconclusiveReason.flakeyNotTried)
    }
}
