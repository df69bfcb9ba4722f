import Bytes
import Model
import Oracle

extension Loss {
    /// Which part of its operation it is.
    var partWords: String {
        let part =
            switch effect {
            case .write: "its data"
            case .zero: "the zeros where bytes were"
            case .grow, .resize: "its size"
            case .name(_, nil): "the removal of the old name"
            case .name: "the new name"
            case .attributes, .extendedAttribute: "attributes"
            }
        return extent.map { "\(part), \($0)" } ?? part
    }
}

extension TraceLine {
    /// What happened, in the words of a story: `write a.db, bytes 4096–8191`.
    var storyDeed: String {
        var text = [what, shownPath ?? ""].filter { !$0.isEmpty }.joined(separator: " ")
        if let offsetBytes, let countBytes, countBytes > 0 {
            text += ", \(ByteRangeWords.bytes(offsetBytes..<offsetBytes + countBytes))"
        }
        if let sizeBytes { text += " to \(sizeBytes.counted("byte"))" }
        if let otherPath { text += " \(relationSign) \(Self.shown(otherPath))" }
        if what == "symlink" || what == "fault", let detail { text += " \(detail)" }
        return origin == .writeback ? text + ", by the kernel, out of a shared mapping" : text
    }

    /// What is done to which file, without places and numbers.
    var group: String {
        what == "oracle" ? "oracle line" : [what, shownPath ?? ""].filter { !$0.isEmpty }.joined(separator: " ")
    }

    /// The path as it is seen from the store's directory.
    var shownPath: String? { path.map(Self.shown) }

    private static func shown(_ path: ByteString) -> String {
        let text = path.description
        return text == "/" ? "the store's directory" : text.hasPrefix("/") ? String(text.dropFirst()) : text
    }
}

extension Violation {
    /// What is wrong, in one sentence, for somebody who has never seen the checks.
    var headline: String {
        let key = key.map { "key \($0)" } ?? "the store"
        let place = line.map { " (oracle line \($0))" } ?? ""
        switch check {
        case .filesystem: return "the filesystem beneath the store is broken"
        case .opens: return "the store does not open any more"
        case .durable where found?.payload == nil: return "\(key) is gone, though its write was acknowledged\(place)"
        case .durable: return "\(key) holds an old value, though a newer one was acknowledged\(place)"
        case .perKeyPrefix: return "\(key) holds a mix of values that it was given"
        case .payloadIntegrity: return "\(key) holds what nobody wrote"
        case .noExtras: return "\(key) is there, and nobody wrote it"
        case .noResurrection: return "\(key) is back, though its deletion was acknowledged\(place)"
        case .noHoles: return "\(key) shows a hole: something later survived, something earlier did not"
        case .atomic: return "\(key) shows half of a batch"
        case .idempotent: return "a second recovery shows something else than the first"
        case .writable: return "the store takes no new write, or does not keep it"
        }
    }

    var expectedWords: String {
        if !expected.isEmpty { return expectedText }
        return switch check {
        case .filesystem: "the filesystem mounts, and its checker finds nothing wrong"
        case .opens: "recovery ends without error"
        case .writable: "a new write is taken, and is there after one more recovery"
        default: "what was acknowledged"
        }
    }

    var foundWords: String {
        [found?.description ?? "", detail].filter { !$0.isEmpty }.joined(separator: "; ")
    }
}
