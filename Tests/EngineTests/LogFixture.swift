import Bytes
import Storage

@testable import Engine

/// A frozen directory and what recovery makes of it, as text:
///
///     # why
///     file NAME
///         46 4c 4f 47 …        bytes
///         zeros COUNT
///     policy refuse            then what is seen under it
///     policy skipDamaged
struct LogFixture {
    private(set) var files: [ByteString: [UInt8]] = [:]
    /// Everything before the first policy.
    private(set) var situation = ""
    private(set) var expectations = ""

    struct Malformed: Error { let line: String }

    init(_ text: String) throws {
        var name: ByteString?
        var isExpecting = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let words = line.split(separator: " ")
            if words.first == "policy" { isExpecting = true }
            if isExpecting {
                expectations += line + "\n"
                continue
            }
            situation += line + "\n"
            switch words.first {
            case nil, "#": continue
            case "file":
                name = ByteString(String(words[1]))
                files[name!] = []
            case "zeros": files[name!]! += [UInt8](repeating: 0, count: Int(words[1])!)
            default:
                for word in words {
                    guard let name, let byte = UInt8(word, radix: 16) else { throw Malformed(line: String(line)) }
                    files[name]!.append(byte)
                }
            }
        }
        // The text ends with a newline, and nothing follows it.
        if expectations.hasSuffix("\n\n") { expectations.removeLast() }
    }

    /// The fixture with what is seen now.
    func regenerated() throws -> String {
        try situation + "policy refuse\n" + seen(.refuse) + "policy skipDamaged\n" + seen(.skipDamaged)
    }

    private func seen(_ policy: DamagePolicy) throws -> String {
        var live: [ByteString: [UInt8]] = [:]
        var batch: [(ByteString, [UInt8]?)] = []
        let storage = try MemoryStorage(contents: files)
        let report: RecoveryReport
        do throws(EngineError) {
            report = try RecoveredLog(storage, shard: 0, policy: policy, hooks: NoHooks()) { (frame, _) in
                let key = ByteString(frame.key)
                switch frame.type {
                case .put: live[key] = Array(frame.payload)
                case .delete: live[key] = nil
                case .batchPut: batch.append((key, Array(frame.payload)))
                case .batchDelete: batch.append((key, nil))
                case .batchCommit:
                    for (key, value) in batch { live[key] = value }
                    batch = []
                case .raw, .segment, .event, .checkpoint, .close: break
                }
            }.report
        } catch {
            return "    refused: \(error)\n"
        }
        var text = "    \(report.filesScanned) files, \(report.recordsReplayed) records, last \(report.lastLSN), "
        text += "\(report.segmentsWithTruncatedTail) torn, \(report.bytesDiscarded) bytes discarded\n"
        text += "    \(ending(report.ending))\n"
        if let refusal = try refusalToWrite(policy) { text += "    to write, refused: \(refusal)\n" }
        for damage in report.midStreamErrors { text += "    skipped: \(damage)\n" }
        for (key, value) in live.sorted(by: { $0.key < $1.key }) { text += "    \(key) = \(ByteString(value))\n" }
        return text
    }

    private func ending(_ ending: LogEnding) -> String {
        switch ending {
        case .closed: "closed"
        case .open: "open"
        case .blank: "blank"
        case .cutShort: "cut short"
        case .torn(let count): "torn, \(count) whole behind"
        case .undecidable(let count): "undecidable, \(count) whole behind"
        case .damaged(let proof, let count): "damaged, \(count) whole behind: \(proof)"
        }
    }

    private func refusalToWrite(_ policy: DamagePolicy) throws -> EngineError? {
        let storage = try MemoryStorage(contents: files)
        do throws(EngineError) {
            _ = try Log.open(storage: storage, options: LogOptions(damagePolicy: policy))
            return nil
        } catch {
            return error
        }
    }
}
