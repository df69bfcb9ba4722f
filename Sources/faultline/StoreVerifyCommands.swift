import ArgumentParser
import Bytes
import Engine
import Report
import Storage

struct StoreReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Says what a store holds, shard by shard, and what the next writer will drop.")

    @OptionGroup var store: StoreDirectory
    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let storage = try store.storage()
        let checks = try StoreCheck.all(in: storage)
        guard !json else { return try StandardOutput.show(["shards": checks], .object) }
        for check in checks { StandardOutput.show(check.lines) }
    }
}

struct StoreVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Reads every byte of a store and says where the first damage is. Changes nothing.",
        discussion: """
            Exits 0 when every record is whole; a torn tail, as a crash leaves it, is dropped by the next writer and is \
            no damage. Exits 1 at damage that no crash explains, with its segment, offset and reason. Exits 3 when whole \
            records stand behind the torn tail: a power cut may have left them, or damage may have hit a record before \
            them that was acknowledged. Nobody can tell the one from the other afterwards.
            """)

    @OptionGroup var store: StoreDirectory
    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let checks = try StoreCheck.all(in: try store.storage())
        if json {
            try StandardOutput.show(["shards": checks], .object)
        } else {
            for check in checks { StandardOutput.show(check.verdictLines) }
        }
        if checks.contains(where: { $0.damage != nil }) { throw ExitStatus.violation }
        if checks.contains(where: { $0.recordsBehindTornTail > 0 }) { throw ExitStatus.inconclusive }
    }
}

/// What one shard of a store holds, for people and programs.
private struct StoreCheck: Encodable {
    struct Place: Encodable {
        var segment: String
        var offset: UInt64
        var reason: String

        init(_ damage: Damage) {
            segment = damage.segment.description
            offset = damage.offsetBytes
            reason = damage.reason.description
        }

        var text: String { "\(segment) at byte \(offset): \(reason)" }
    }

    var shard: UInt16
    /// `whole`, `damaged`, or `unclear` when nobody can tell.
    var verdict: String
    var segments: Int
    var sizeBytes: UInt64
    var records: Int
    var lastLSN: UInt64
    var recordsByType: [String: Int]
    /// Nil when the shard belongs to another view, or is damaged.
    var liveKeys: Int?
    var tornTail: Place?
    var bytesDiscarded: UInt64
    var recordsBehindTornTail: Int
    var damage: Place?

    static func all(in storage: PosixStorage) throws -> [StoreCheck] {
        try LogCheck.shards(in: storage).map { try StoreCheck(storage, $0) }
    }

    private init(_ storage: PosixStorage, _ shard: UInt16) throws {
        let check = try LogCheck(storage: storage, shard: shard)
        self.shard = shard
        segments = check.report.filesScanned
        sizeBytes = check.sizeBytes
        records = check.report.recordsReplayed
        lastLSN = check.report.lastLSN.rawValue
        recordsByType = Dictionary(uniqueKeysWithValues: check.counts.map { ("\($0.key)", $0.value) })
        let isMap = check.damage == nil && shard == 0 && check.counts[.event] == nil && check.counts[.checkpoint] == nil
        liveKeys = isMap ? try KeyValueSnapshot.open(storage: storage).count : nil
        tornTail = check.report.tornTail.map(Place.init)
        bytesDiscarded = check.report.bytesDiscarded
        recordsBehindTornTail = check.recordsBehindTornTail
        damage = check.damage.map(Place.init)
        verdict = damage != nil ? "damaged" : recordsBehindTornTail > 0 ? "unclear" : "whole"
    }

    var lines: [ReportLine] {
        var lines: [ReportLine] = [
            "shard \(shard): \(records.counted("record")) in \(segments.counted("segment")) of "
                + "\(sizeBytes.counted("byte")); last LSN \(lastLSN)"
        ]
        if let liveKeys { lines.append("  live keys: \(liveKeys)") }
        for (type, count) in recordsByType.sorted(by: { $0.key < $1.key }) { lines.append("  \(type): \(count)") }
        return lines + endings
    }

    var verdictLines: [ReportLine] {
        let first: ReportLine = "shard \(shard): \(verdict); \(records.counted("record")) up to LSN \(lastLSN)"
        return [first] + endings
    }

    private var endings: [ReportLine] {
        var lines: [ReportLine] = []
        if let damage { lines.append("  damage in \(damage.text)") }
        if let tornTail {
            lines.append("  torn tail in \(tornTail.text); the next writer drops \(bytesDiscarded.counted("byte"))")
        }
        if recordsBehindTornTail > 0 {
            let (records, verb) = recordsBehindTornTail == 1 ? ("it", "stands") : ("them", "stand")
            let behind = recordsBehindTornTail.counted("whole record")
            lines.append("  \(behind) \(verb) behind it: a power cut, or damage before \(records)")
        }
        return lines
    }
}
