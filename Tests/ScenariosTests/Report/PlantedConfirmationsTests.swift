import Engine
import Runs
import Testing

@testable import Matrices
@testable import Report

/// Which planted bugs real filesystems show.
struct PlantedConfirmationsTests {
    @Test func `each is a row with an answer for each filesystem`() {
        var table = PlantedConfirmations(filesystems: [.ext4, .xfs, .btrfs])
        table.add(
            .neverSync, .durable,
            [
                Confirmation(.seen(states: 12, of: 340), below: .ext4, kernel: "6.18.5"),
                Confirmation(.cannotBeSeen(reason: "no mkfs.xfs"), below: .xfs, kernel: "6.18.5"),
                Confirmation(
                    .notSeen(of: 30, explored: RunResult.Explored(epochs: 1, of: 9, exhaustive: 1)), below: .btrfs,
                    kernel: "6.18.5"),
            ])
        table.add(.batchSplit, .noExtras, [Confirmation(.notSeen(of: 7, explored: nil), below: .ext4, kernel: "6.18")])
        let lines = table.text.split(separator: "\n").map(String.init)
        #expect(lines.count == 4)
        #expect(lines[0].hasSuffix(" | check | ext4 | xfs | btrfs |"))
        #expect(
            lines[2]
                == "| `never-sync` | durable | 12 of 340 | cannot be seen: no mkfs.xfs | none of 30, bounded by time |")
        #expect(lines[3] == "| `batch-split` | no-extras | none of 7 | – | – |")
    }

    @Test func `only bugs that one power cut shows are looked for`() {
        let bugs = PlantedBug.allCases.filter { $0.sightings.first?.showsByPowerCut == true }
        #expect(bugs.contains(.neverSync) && bugs.contains(.checkpointUnsynced))
        for bug in [PlantedBug.tailRewritten, .numberReused, .poisonIgnored, .readUnchecked, .wakeupLost] {
            #expect(!bugs.contains(bug), "\(bug.name)")
        }
    }
}
