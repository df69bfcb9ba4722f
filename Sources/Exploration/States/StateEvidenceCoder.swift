import Bytes
import Model
import Oracle
import Storage

/// Encodes the evidence of states to a spill file and decodes it. A large value is written once and then referred to, as
/// long as it is remembered.
struct StateEvidenceCoder {
    /// Smaller values are written inline: a reference takes as many bytes.
    private static let smallBytes = 64
    /// The most values to remember. Then all are forgotten, and written again when they come again.
    private static let rememberedAtMost = 1 << 16

    private var known: [StateHash: UInt64] = [:]

    private enum Tag: UInt8 {
        case none, failed, hung, opened, same, kept, refused, lost, unkept, filesystemBroken, checked, complaint
    }

    // MARK: - Writing

    mutating func encode(_ shown: StateEvidence, to file: SpillFile) throws -> Payload {
        var text = ByteWriter()
        text.append(UInt32(1 + shown.nested.count))
        for evidence in [shown.evidence] + shown.nested { try append(evidence, to: &text, file) }
        return try text.withBytes { bytes in Result { try file.append(bytes) } }.get()
    }

    private mutating func append(_ evidence: Evidence, to text: inout ByteWriter, _ file: SpillFile) throws {
        try append(evidence.recovery, to: &text, file)
        switch evidence.secondRecovery {
        case nil: text.append(Tag.none.rawValue)
        case evidence.recovery: text.append(Tag.same.rawValue)
        case let second?: try append(second, to: &text, file)
        }
        func note(_ tag: Tag, _ reason: String? = nil) {
            text.append(tag.rawValue)
            if let reason { Self.append(Array(reason.utf8), to: &text) }
        }
        switch evidence.probe {
        case nil: note(.none)
        case .kept: note(.kept)
        case .refused(let reason): note(.refused, reason)
        case .lost(let reason): note(.lost, reason)
        case .unkept(let reason): note(.unkept, reason)
        }
    }

    private mutating func append(_ recovery: Recovery, to text: inout ByteWriter, _ file: SpillFile) throws {
        switch recovery {
        case .failed(let reason):
            text.append(Tag.failed.rawValue)
            Self.append(Array(reason.utf8), to: &text)
        case .filesystemBroken(let reason):
            text.append(Tag.filesystemBroken.rawValue)
            Self.append(Array(reason.utf8), to: &text)
        case .hung(let seconds):
            text.append(Tag.hung.rawValue)
            text.append(Int64(seconds))
        case .opened(let observation):
            switch observation.ownCheck {
            case nil: break
            case .passed: text.append(Tag.checked.rawValue)
            case .complaint(let complaint):
                text.append(Tag.complaint.rawValue)
                Self.append(Array(complaint.utf8), to: &text)
            }
            text.append(Tag.opened.rawValue)
            text.append(UInt32(observation.count))
            for entry in observation.entries {
                Self.append(entry.key.bytes, to: &text)
                text.append(UInt32(entry.payload.count))
                if entry.payload.count < Self.smallBytes {
                    entry.payload.withUnsafeBytes { text.append($0) }
                } else {
                    text.append(try place(of: entry.payload, file))
                }
            }
        }
    }

    private mutating func place(of value: [UInt8], _ file: SpillFile) throws -> UInt64 {
        let hash = StateHash(of: value)
        if let known = known[hash] { return known }
        let place = try value.withUnsafeBytes { bytes in Result { try file.append(bytes) } }.get().offsetBytes
        if known.count == Self.rememberedAtMost { known.removeAll() }
        known[hash] = place
        return place
    }

    private static func append(_ bytes: [UInt8], to text: inout ByteWriter) {
        text.append(UInt32(bytes.count))
        bytes.withUnsafeBytes { text.append($0) }
    }

    // MARK: - Reading

    /// Something that was written to `file` by a coder.
    static func decode(_ bytes: [UInt8], from file: SpillFile) throws -> StateEvidence {
        try bytes.withUnsafeBytes { buffer in
            var reader = ByteReader(buffer)
            let count = Int(reader.integer(UInt32.self) ?? 0)
            var all: [Evidence] = []
            for _ in 0..<count { all.append(try evidence(&reader, file)) }
            guard let first = all.first, reader.remainingBytes == 0 else { throw Damage() }
            return StateEvidence(evidence: first, nested: Array(all.dropFirst()))
        }
    }

    /// What was written does not read back: the disk fails, or somebody wrote to the file.
    private struct Damage: Error, CustomStringConvertible {
        var description: String { "what was put aside on the disk for want of memory is not what was written" }
    }

    private static func evidence(_ reader: inout ByteReader, _ file: SpillFile) throws -> Evidence {
        guard let recovery = try recovery(&reader, file, same: nil) else { throw Damage() }
        var evidence = Evidence(recovery, secondRecovery: try self.recovery(&reader, file, same: recovery))
        let tag = try tag(&reader)
        if tag == .none { return evidence }
        if tag == .kept {
            evidence.probe = .kept
            return evidence
        }
        let reason = String(decoding: try run(&reader), as: UTF8.self)
        switch tag {
        case .refused: evidence.probe = .refused(reason: reason)
        case .lost: evidence.probe = .lost(reason: reason)
        case .unkept: evidence.probe = .unkept(reason: reason)
        default: throw Damage()
        }
        return evidence
    }

    private static func recovery(_ reader: inout ByteReader, _ file: SpillFile, same: Recovery?) throws -> Recovery? {
        switch try tag(&reader) {
        case .none: return nil
        case .same: return same
        case .failed: return .failed(reason: String(decoding: try run(&reader), as: UTF8.self))
        case .filesystemBroken:
            return .filesystemBroken(reason: String(decoding: try run(&reader), as: UTF8.self))
        case .hung:
            guard let seconds = reader.integer(Int64.self) else { throw Damage() }
            return .hung(afterSeconds: Int(clamping: seconds))
        case .checked: return try recovery(&reader, file, same: same)?.after(.passed)
        case .complaint:
            let complaint = String(decoding: try run(&reader), as: UTF8.self)
            return try recovery(&reader, file, same: same)?.after(.complaint(complaint))
        case .opened:
            guard let count = reader.integer(UInt32.self) else { throw Damage() }
            var entries: [Observation.Entry] = []
            for _ in 0..<count {
                let key = ByteString(try run(&reader))
                guard let size = reader.integer(UInt32.self) else { throw Damage() }
                if Int(size) < smallBytes {
                    guard let value = reader.run(Int(size)) else { throw Damage() }
                    entries.append(Observation.Entry(key: key, payload: Array(value)))
                } else {
                    guard let offset = reader.integer(UInt64.self) else { throw Damage() }
                    let value = try file.bytes(of: Payload(offsetBytes: offset, countBytes: UInt64(size)))
                    entries.append(Observation.Entry(key: key, payload: value))
                }
            }
            return .opened(try Observation(entries))
        default: throw Damage()
        }
    }

    private static func tag(_ reader: inout ByteReader) throws -> Tag {
        guard let tag = reader.integer(UInt8.self).flatMap(Tag.init(rawValue:)) else { throw Damage() }
        return tag
    }

    private static func run(_ reader: inout ByteReader) throws -> [UInt8] {
        guard let count = reader.integer(UInt32.self), let run = reader.run(Int(count)) else { throw Damage() }
        return Array(run)
    }
}

extension Recovery {
    /// The same with this answer of the store's own checker.
    fileprivate func after(_ answer: Observation.OwnCheck) -> Recovery {
        guard case .opened(var observation) = self else { return self }
        observation.ownCheck = answer
        return .opened(observation)
    }
}
