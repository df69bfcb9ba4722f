import Engine

/// One run that shows a planted bug: which scenario catches it, on which target, and which check names it.
///
/// Together they are the table "which scenario catches which bug"; a test does every run, and replays its case.
package struct PlantedSighting: Hashable, Sendable {
    package var scenario: Scenario
    package var check: String
    /// `engine` for the key-value view, `events` for the event view.
    package var target = "engine"
    package var operationCount: UInt64 = 100
    package var cycles = 6
    /// `kill` only: the process dies at this acknowledgement instead of a seeded time.
    package var killAtAcknowledgement: UInt64?
    /// `io-error` only: the rule that it takes.
    package var rule: String?
}

extension PlantedBug {
    /// The scenarios that are known to catch the bug. Empty for those that no scenario shows so far: bugs among threads,
    /// on failing or changing storage, and of batches; the engine's own tests find these.
    package var sightings: [PlantedSighting] {
        switch self {
        case .ackBeforeSync, .neverSync: [.powerCut("durable")]
        case .directoryUnsynced, .compactionUnsynced: [.powerCut("durable")]
        case .checksumUnchecked: [.powerCut("opens")]
        case .poisonIgnored: [.ioError("durable", "fdatasync nth=20 -> EIO lose btrfs")]
        case .tailTrusted: [.ioError("opens", "fdatasync nth=43 -> EIO lose")]
        case .readUnchecked:
            [.ioError("payload-integrity", "read path=0000-0000000002.log nth=3 -> misdirect")]
        case .deleteUnlogged: .withoutFault("no-resurrection")
        case .compactionDropsNewest: .withoutFault("durable")
        case .lastRecordDropped: .withoutFault("opens")
        case .segmentRecycled: [PlantedSighting(scenario: .kill, check: "opens")]
        case .deleteUnsynced:
            // In the life that begins with operation 101 the 15th is the delete of operation 115.
            [
                .powerCut("no-resurrection"),
                PlantedSighting(scenario: .kill, check: "no-resurrection", cycles: 1, killAtAcknowledgement: 15),
            ]
        case .duplicateHashWeak: .withoutFault("durable", "events")
        case .windowForgotten, .replayInclusive: .withoutFault("no-extras", "events")
        case .checkpointAhead:
            [PlantedSighting(scenario: .kill, check: "durable", target: "events", operationCount: 60)]
        case .rotationUnsynced, .tailUncut, .batchSplit, .duplicateEarly,
            .windowTruncated, .checkpointUnsynced, .truncationTooFar, .batchUncommitted, .truncationNewestFirst,
            .followerEarly:
            []
        }
    }
}

extension PlantedSighting {
    fileprivate static func powerCut(_ check: String) -> PlantedSighting {
        PlantedSighting(scenario: .powerCut, check: check, operationCount: 60, cycles: 1)
    }
}

extension PlantedSighting {
    fileprivate static func ioError(_ check: String, _ rule: String) -> PlantedSighting {
        PlantedSighting(scenario: .ioError, check: check, operationCount: 50, cycles: 1, rule: rule)
    }
}

extension [PlantedSighting] {
    /// Bugs that every reopen shows, and so both scenarios that need nothing of the machine.
    fileprivate static func withoutFault(_ check: String, _ target: String = "engine") -> [PlantedSighting] {
        [
            PlantedSighting(scenario: .smoke, check: check, target: target),
            PlantedSighting(scenario: .kill, check: check, target: target),
        ]
    }
}
