import Engine
import Model
import Oracle
import Runs

extension PlantedBug {
    /// The runs that find the bug. Empty for bugs that need two threads, whose order a trace does not record
    /// (`scheduleSighting` finds them), and for leaks, which no crash shows (`leakedMeasure`).
    package var sightings: [PlantedSighting] {
        switch self {
        case .ackBeforeSync, .neverSync: [.explore(.durable, ops: 2, losing: 1), .powerCut(.durable)]
        case .directoryUnsynced:
            [.explore(.durable, ops: 2, losing: 1, under: .posixMin), .powerCut(.durable)]
        case .rotationUnsynced:
            [
                .explore(.opens, ops: 41, losing: 2, under: .ext4Ordered) {
                    $0.settings = ["segment_kib": "4"]
                    ($0.exploring.epochStates, $0.exploring.samples) = (16, 4)
                }
            ]
        case .poisonIgnored:
            [
                .explore(.durable, ops: 8, losing: 1) { $0.rules = ["fdatasync path=*.log nth=6 -> EIO lose"] },
                .ioError(.durable, "fdatasync nth=20 -> EIO lose btrfs"),
            ]
        case .tailTrusted:
            [
                .explore(.opens, ops: 8, losing: 1) {
                    $0.settings = ["reopen": "1"]
                    $0.rules = ["fdatasync path=*.log nth=6 -> EIO lose"]
                },
                .ioError(.opens, "fdatasync nth=43 -> EIO lose"),
            ]
        case .tailUncut:
            // Half a batch is written, the store is reopened, and a batch of the same size overwrites the rest of it.
            // The second record of the first batch starts on a sector boundary.
            [
                .explore(.noExtras, ops: 5, losing: 1, under: .ext4Ordered) {
                    $0.settings = ["batch": "1", "reopen": "1"]
                    $0.exploring.valueBytes = 559
                    $0.rules = ["write path=*.log nth=4 -> short 700", "write path=*.log nth=6 -> EIO"]
                }
            ]
        case .tailRewritten:
            [.explore(.durable, ops: 2, under: .kill) { $0.exploring.crashesRecovery = true }]
        case .numberReused:
            // The second life is operations 91 to 110; no compaction copies its records.
            [
                .explore(.writable, ops: 2, under: .kill) { $0.exploring.writesAfterRecovery = true },
                PlantedSighting(scenario: .smoke, check: .opens, operationCount: 90),
            ]
        case .checksumUnchecked: [.explore(.opens, ops: 27, losing: 1, under: .kill), .powerCut(.opens)]
        case .deleteUnlogged:
            [.explore(.noResurrection, ops: 24, under: .kill)] + .withoutFault(.noResurrection)
        case .batchSplit: [.explore(.noExtras, ops: 2, under: .kill) { $0.settings = ["batch": "1"] }]
        case .batchUncommitted:
            [.explore(.noExtras, ops: 4, losing: 1, under: .ext4Ordered) { $0.settings = ["batch": "1"] }]
        case .compactionDropsNewest: [.explore(.durable, ops: 41, under: .kill)] + .withoutFault(.durable)
        case .compactionUnsynced: [.explore(.durable, ops: 41, under: .kill), .powerCut(.durable)]
        case .segmentRecycled:
            [.explore(.opens, ops: 41, under: .kill), PlantedSighting(scenario: .kill, check: .opens)]
        case .lastRecordDropped:
            // The bug drops the last record of a full segment; the last record of a closed log is its end mark.
            [.explore(.opens, ops: 20, under: .kill) { $0.settings = ["segment_kib": "4"] }] + .withoutFault(.opens)
        case .truncationNewestFirst:
            [.explore(.opens, ops: 41, under: .kill) { $0.settings = ["segment_kib": "4"] }]
        case .readUnchecked:
            [.ioError(.payloadIntegrity, "read path=0000-0000000002.log nth=3 -> misdirect")]
        case .deleteUnsynced:
            // In the life that begins with operation 101, acknowledgement 15 is the delete of operation 115.
            [
                .explore(.noResurrection, ops: 24, under: .kill), .powerCut(.noResurrection),
                PlantedSighting(scenario: .kill, check: .noResurrection, cycles: 1, killAtAcknowledgement: 15),
            ]
        case .duplicateHashWeak:
            [.explore(.durable, "events", ops: 5, under: .kill)] + .withoutFault(.durable, "events")
        case .windowForgotten:
            [.explore(.noExtras, "events", ops: 2, under: .kill)] + .withoutFault(.noExtras, "events")
        case .windowTruncated:
            [.explore(.noExtras, "events", ops: 31, under: .kill) { $0.settings = ["segment_kib": "4"] }]
        case .checkpointAhead:
            [
                .explore(.durable, "events", ops: 31, under: .kill),
                PlantedSighting(scenario: .kill, check: .durable, target: "events", operationCount: 60),
            ]
        case .checkpointUnsynced: [.explore(.opens, "events", ops: 31, under: .kill)]
        case .truncationTooFar:
            [.explore(.durable, "events", ops: 31, under: .kill) { $0.settings = ["segment_kib": "4"] }]
        case .replayInclusive:
            [.explore(.noExtras, "events", ops: 31, under: .kill)] + .withoutFault(.noExtras, "events")
        case .duplicateEarly, .followerEarly, .wakeupLost, .numberDoubled: []
        case .descriptorLeaked, .memoryLeaked: []
        }
    }
}

extension PlantedBug {
    /// Of a leak: what rises in a soak. nil for all others.
    package var leakedMeasure: SoakMeasure? {
        switch self {
        case .descriptorLeaked: .descriptors
        case .memoryLeaked: .memory
        default: nil
        }
    }

    /// The command that finds a leak, as it is typed into a shell.
    package func soakCommand(program: String) -> String {
        "\(program) soak engine --set planted=\(name) --duration 5m"
    }
}

extension PlantedBug {
    /// The planted bugs that the matrix expects to be found, by scenario.
    package static func cells(of matrix: Matrix) -> [ScenarioName: [PlantedBug]] {
        var bugs: [ScenarioName: [PlantedBug]] = [:]
        for cell in matrix.cells where cell.expectation == .violation {
            guard let name = cell.request.target.configurationByName["planted"],
                let bug = PlantedBug(rawValue: name)
            else { continue }
            bugs[cell.request.scenario.name, default: []].append(bug)
        }
        return bugs.mapValues { found in allCases.filter(found.contains) }
    }
}

extension PlantedSighting {
    /// - Parameter strongest: the strongest profile that shows the bug. The run uses it, or `strict` in place of
    ///   `kill`.
    fileprivate static func explore(
        _ check: Check, _ target: String = "engine", ops: UInt64, losing lostCount: Int = 0,
        under strongest: Profile = .strict, _ change: (inout PlantedSighting) -> Void = { _ in }
    ) -> PlantedSighting {
        var sighting = PlantedSighting(
            scenario: .explore, check: check, target: target, profile: strongest == .kill ? .strict : strongest,
            operationCount: ops)
        sighting.exploring.strongest = strongest
        sighting.exploring.lostCount = lostCount
        change(&sighting)
        return sighting
    }

    fileprivate static func powerCut(_ check: Check) -> PlantedSighting {
        PlantedSighting(scenario: .powerCut, check: check, operationCount: 60, cycles: 1)
    }

    fileprivate static func ioError(_ check: Check, _ rule: String) -> PlantedSighting {
        PlantedSighting(scenario: .ioError, check: check, operationCount: 50, cycles: 1, rules: [rule])
    }
}

extension [PlantedSighting] {
    /// For bugs that every reopen shows: `smoke` and `kill`, which need nothing from the machine.
    fileprivate static func withoutFault(_ check: Check, _ target: String = "engine") -> [PlantedSighting] {
        [
            PlantedSighting(scenario: .smoke, check: check, target: target),
            PlantedSighting(scenario: .kill, check: check, target: target),
        ]
    }
}
