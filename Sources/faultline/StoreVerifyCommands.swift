import ArgumentParser
import Bytes
import Engine
import Machine
import Report
import Scenarios
import Storage

struct StoreReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Says what a store holds, shard by shard, and what the next writer will drop.",
        discussion: "Exits 3 when the store is damaged, or something may be missing from the end of its log.")

    @OptionGroup var store: StoreDirectory
    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let checks = try store.naming { try StoreCheck.all(in: try store.storage()) }
        if json {
            try StandardOutput.show(["shards": checks], .object)
        } else {
            for check in checks { StandardOutput.show(check.lines) }
        }
        let warnings = checks.filter { $0.verdict != .whole }
        for check in warnings { StandardError.say("faultline: shard \(check.shard) is \(check.verdict.rawValue)") }
        if !warnings.isEmpty { throw ExitStatus.inconclusive }
    }
}

struct StoreVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Reads every byte of a store and says where the first damage is. Changes nothing.",
        discussion: """
            Exits 0 when every record is whole and nothing can be missing. Exits 1 at damage that no crash explains, with \
            its segment, offset and reason: anything wrong before the last segment, or a tail from which records are \
            missing that were durable, as a later record or the closing of the store shows. Exits 3 when a crash or damage \
            may have been the cause: a torn tail, an empty last segment, a file that ends with its last record although \
            nobody closed the store.

            Of what was synced last before a store was left without being closed no later record can tell. A log of version 1 \
            (stores that were last written by an older program) never tells.
            """)

    @OptionGroup var store: StoreDirectory
    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let checks = try store.naming { try StoreCheck.all(in: try store.storage()) }
        if json {
            try StandardOutput.show(["shards": checks], .object)
        } else {
            for check in checks { StandardOutput.show(check.verdictLines) }
        }
        if checks.contains(where: { $0.verdict == .damaged }) { throw ExitStatus.violation }
        if checks.contains(where: { $0.verdict == .unclear }) { throw ExitStatus.inconclusive }
    }
}

/// What one shard of a store holds, for people and programs.
private struct StoreCheck: Encodable {
    struct Place: Encodable, Equatable {
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

    enum Verdict: String, Encodable {
        case whole, damaged
        /// It is unknown whether records are missing.
        case unclear
    }

    var shard: UInt16
    var verdict: Verdict
    /// How the log ends: closed, open, blank, cutShort, torn, undecidable, damaged.
    var ending: String
    /// The evidence that the missing part of a damaged tail was durable.
    var proof: String?
    var segments: Int
    var sizeBytes: UInt64
    var records: Int
    var lastLSN: UInt64
    var recordsByType: [String: Int]
    /// Nil if the shard belongs to another view or is damaged.
    var liveKeys: Int?
    var tornTail: Place?
    var bytesDiscarded: UInt64
    var recordsBehindTornTail: Int
    var damage: Place?
    private var isTailKept = false
    private var warnings: [String] = []

    private enum CodingKeys: CodingKey {
        case shard, verdict, ending, proof, segments, sizeBytes, records, lastLSN, recordsByType, liveKeys, tornTail
        case bytesDiscarded, recordsBehindTornTail, damage
    }

    static func all(in storage: PosixStorage) throws -> [StoreCheck] {
        try LogCheck.shards(in: storage).map { try StoreCheck(storage, $0) }
    }

    private init(_ storage: PosixStorage, _ shard: UInt16) throws {
        let check = try StoreDirectory.settled({ try LogCheck(storage: storage, shard: shard) }, \.report)
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
        recordsBehindTornTail = check.report.ending.recordsBehind
        damage = check.damage.map(Place.init)
        let report = check.report
        ending = report.ending.name
        if case .damaged(let proof, _) = report.ending { self.proof = proof.description }
        verdict = damage != nil ? .damaged : report.ending.isCertain ? .whole : .unclear
        isTailKept = report.isTailKept
        warnings = report.warnings
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
        let first: ReportLine = "shard \(shard): \(verdict.rawValue); \(records.counted("record")) up to LSN \(lastLSN)"
        return [first] + endings
    }

    private var endings: [ReportLine] {
        var lines = warnings
        if let damage, tornTail != damage { lines.insert("damage in \(damage.text)", at: 0) }
        if bytesDiscarded > 0 {
            let kept = isTailKept ? "drops and keeps" : "drops"
            let fate = ending == "damaged" ? "refuses; --discard-damaged-tail \(kept)" : kept
            lines.append("the next writer \(fate) \(bytesDiscarded.counted("byte"))")
        }
        return lines.map { "  \($0)" }
    }
}
