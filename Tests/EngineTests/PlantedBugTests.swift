import Bytes
import Engine
import Model
import Storage
import Testing

/// Every planted bug is found by a workload under some profile, and the same workload without it is not accused.
@Suite struct PlantedBugTests {
    enum Workload: CaseIterable {
        case mixed, compacting, failingSync, fillingTheGap

        func run(_ bug: PlantedBug?) throws -> RecordedRun {
            switch self {
            case .mixed: try .mixed(bug)
            case .compacting: try .compacting(bug)
            case .failingSync: try .failingSync(bug)
            case .fillingTheGap: try .fillingTheGap(bug)
            }
        }
    }

    /// Where each bug shows, and the strongest profile under which it does.
    static func place(of bug: PlantedBug) -> (Workload, Profile) {
        switch bug {
        case .ackBeforeSync, .neverSync: (.mixed, .strict)
        case .directoryUnsynced: (.mixed, .posixMin)
        case .rotationUnsynced: (.mixed, .ext4Ordered)
        case .poisonIgnored, .tailTrusted: (.failingSync, .ext4Ordered)
        case .tailUncut: (.fillingTheGap, .kill)
        case .checksumUnchecked: (.mixed, .ext4Ordered)
        case .deleteUnlogged, .batchSplit: (.mixed, .kill)
        case .compactionDropsNewest: (.compacting, .kill)
        case .compactionUnsynced: (.compacting, .ext4Ordered)
        }
    }

    @Test(arguments: PlantedBug.allCases) func itIsFound(_ bug: PlantedBug) throws {
        let (workload, profile) = Self.place(of: bug)
        var recovered = 0
        let findings = try workload.run(bug).explore(profile, seeds: 0..<6, planting: bug, recovered: &recovered)
        #expect(!findings.isEmpty)
    }

    @Test(arguments: Workload.allCases, Profile.allCases)
    func theEngineAsItShouldBeIsNotAccused(_ workload: Workload, _ profile: Profile) throws {
        var recovered = 0
        let findings = try workload.run(nil).explore(profile, seeds: 0..<4, recovered: &recovered)
        #expect(findings.isEmpty, "\(findings.prefix(3))")
    }

    @Test func namesAreDistinctAndEverySummaryIsOneLine() {
        #expect(Set(PlantedBug.allCases.map(\.name)).count == PlantedBug.allCases.count)
        for bug in PlantedBug.allCases {
            #expect(PlantedBug(rawValue: bug.name) == bug)
            #expect(!bug.summary.isEmpty && !bug.summary.contains("\n"))
        }
    }
}
