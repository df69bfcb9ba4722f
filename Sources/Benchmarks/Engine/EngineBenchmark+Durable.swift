import Bytes
import CYardsticks
import Engine
import Foundation
import Storage

/// Why a yardstick could not be measured.
struct YardstickError: Error, CustomStringConvertible {
    package var description: String
}

/// The rows that sync. Each round measures all of them in turn, so that a device that slows down affects them equally.
extension EngineBenchmark {
    private static let recordBytes = 156
    private static let payload = [UInt8](repeating: 0xA5, count: 128)
    private static let threads = 32

    private struct Rounds {
        var engine: [Double] = []
        var overwrite: [Double] = []
        var growing: [Double] = []
        var group: [Double] = []
        var groupInC: [Double] = []
        var put: [Double] = []
        var sqlite: [Double] = []
        var peers: [PeerStore: [Double]] = [:]
    }

    func durableRows() throws -> [BenchmarkRow] {
        let log = try Log.open(storage: PosixStorage(creatingDirectory: directory + "/log"))
        defer { try? log.close() }
        let store = try KeyValueStore.open(storage: PosixStorage(creatingDirectory: directory + "/store"))
        defer { try? store.close() }
        // Enough syncs for each thread that starting the threads does not count.
        let syncsPerThread = max(1, syncCount / 2)
        var all = Rounds()
        for round in 0..<rounds {
            all.engine.append(try timedAlone { for _ in 0..<syncCount { try log.appendAndSync(Self.payload) } })
            all.overwrite.append(
                try yardstick("overwrite") { yardstick_overwrite($0, Self.recordBytes, Int32(syncCount)) })
            all.growing.append(try yardstick("growing") { yardstick_append($0, Self.recordBytes, Int32(syncCount)) })
            all.group.append(
                try timedAlone {
                    try inParallel(Self.threads) { for _ in 0..<syncsPerThread { try log.appendAndSync(Self.payload) } }
                })
            all.groupInC.append(
                try yardstick("group") {
                    yardstick_group_commit($0, Self.recordBytes, Int32(Self.threads), Int32(syncsPerThread))
                })
            all.put.append(
                try timedAlone {
                    for index in 0..<syncCount {
                        try store.sync(through: store.put(ByteString("key-\(index)"), Self.payload))
                    }
                })
            all.sqlite.append(
                try yardstick("sqlite-\(round)") { yardstick_sqlite_puts($0, Self.payload.count, Int32(syncCount)) })
            for peer in PeerStore.allCases where peer.isInstalled {
                let seconds = try yardstick("\(peer.rawValue)-\(round)") {
                    yardstick_peer_puts(peer.rawValue, $0, Self.payload.count, Int32(syncCount))
                }
                all.peers[peer, default: []].append(seconds)
            }
        }
        return rows(all, syncsPerThread)
    }

    private func rows(_ all: Rounds, _ syncsPerThread: Int) -> [BenchmarkRow] {
        let one = rate(all.engine)
        let count = Double(syncsPerThread * Self.threads)
        let group = count / median(all.group)
        let text = "durable append from \(Self.threads) threads"
        return [
            row("durable append", one, "pwrite and fdatasync into a file of zeros, in C", rate(all.overwrite), 0.95),
            row("durable append", one, "write and fsync to a growing file, in C", rate(all.growing), 2),
            // For comparison: how much faster this device overwrites zeros than it grows a file, without the engine.
            BenchmarkRow(
                name: "pwrite and fdatasync into a file of zeros, in C", value: rate(all.overwrite), unit: "/s",
                baseline: "write and fsync to a growing file, in C", baselineValue: rate(all.growing), aim: .none),
            row(text, group, "leader and followers in C", count / median(all.groupInC), 1),
            row(text, group, "one thread", one, 7),
            row("durable put", rate(all.put), "SQLite, WAL, synchronous=FULL", rate(all.sqlite), 1),
        ]
            + PeerStore.allCases.compactMap { peer in
                all.peers[peer].map { row("durable put", rate(all.put), peer.title, rate($0), 1) }
            }
    }

    private func rate(_ seconds: [Double]) -> Double { Double(syncCount) / median(seconds) }

    private func row(
        _ name: String, _ value: Double, _ baseline: String, _ baselineValue: Double, _ aim: Double
    ) -> BenchmarkRow {
        BenchmarkRow(
            name: name, value: value, unit: "/s", baseline: baseline, baselineValue: baselineValue,
            aim: .ratioAtLeast(aim))
    }

    /// Times `body` after a sync of the device: otherwise `body` would also pay for earlier writes of others.
    private func timedAlone(_ body: () throws -> Void) throws -> Double {
        try waitForWriteback()
        return try timed(body)
    }

    private func waitForWriteback() throws {
        let failure = directory.withCString { yardstick_settle($0) }
        guard failure == 0 else {
            throw YardstickError(description: "'\(directory)' cannot be synced: errno \(failure)")
        }
    }

    private func yardstick(_ name: String, _ measure: (UnsafePointer<CChar>) -> Double) throws -> Double {
        try waitForWriteback()
        let path = directory + "/\(name)"
        let seconds = path.withCString(measure)
        guard seconds > 0 else { throw YardstickError(description: "the yardstick '\(name)' failed: \(seconds)") }
        return seconds
    }
}
