import Bytes
import Exploration
import Model
import Oracle

extension Loss {
    /// The lost part of the operation.
    var partWords: String {
        let part =
            switch effect {
            case .write: "its data"
            case .zero: "the zeros over old bytes"
            case .grow, .resize: "its size"
            case .name(_, nil): "the removal of the old name"
            case .name: "the new name"
            case .attributes, .extendedAttribute: "attributes"
            }
        return extent.map { "\(part), \($0)" } ?? part
    }
}

extension TraceLine {
    /// The event as text for a story: `write a.db, bytes 4096–8191`.
    var storyText: String {
        var text = [what, shownPath ?? ""].filter { !$0.isEmpty }.joined(separator: " ")
        if let offsetBytes, let countBytes, countBytes > 0 {
            text += ", \(ByteRangeText.bytes(offsetBytes..<offsetBytes + countBytes))"
        }
        if let sizeBytes { text += " to \(sizeBytes.counted("byte"))" }
        if let otherPath { text += " \(relationSign) \(Self.shown(otherPath))" }
        if what == "symlink" || what == "fault", let detail { text += " \(detail)" }
        return origin == .writeback ? text + ", by the kernel, from a shared mapping" : text
    }

    /// The operation and the file, without offsets and sizes.
    var group: String {
        what == "oracle" ? "oracle line" : [what, shownPath ?? ""].filter { !$0.isEmpty }.joined(separator: " ")
    }

    /// The path relative to the store's directory.
    var shownPath: String? { path.map(Self.shown) }

    private static func shown(_ path: ByteString) -> String {
        let text = path.description
        return text == "/" ? "the store's directory" : text.hasPrefix("/") ? String(text.dropFirst()) : text
    }
}

extension Violation {
    /// The violation in one sentence, for a reader who does not know the checks.
    var headline: String {
        if let storeCheck {
            var own = self
            (own.check, own.storeCheck) = (storeCheck, nil)
            return "after a fault of the device: \(own.headline)"
        }
        let key = key.map { "key \($0)" } ?? "the store"
        let place = line.map { " (oracle line \($0))" } ?? ""
        switch check {
        case .filesystem: return "the filesystem beneath the store is broken"
        case .opens: return "the store does not open any more"
        case .durable where found?.payload == nil: return "\(key) is gone, though its write was acknowledged\(place)"
        case .durable: return "\(key) holds an old value, though a newer one was acknowledged\(place)"
        case .perKeyPrefix: return "\(key) holds a mix of values that were written to it"
        case .payloadIntegrity: return "\(key) holds a value that was never written"
        case .noExtras: return "\(key) exists, though it was never written"
        case .noResurrection: return "\(key) is back, though its deletion was acknowledged\(place)"
        case .noHoles: return "\(key) shows a hole: a later operation survived, an earlier one did not"
        case .atomic: return "\(key) shows half of a batch"
        case .consistent: return "the store's own checker complains"
        case .idempotent: return "a second recovery gives another result than the first"
        case .writable: return "the store accepts no new write, or loses it"
        }
    }

    var expectedWords: String {
        if !expected.isEmpty { return expectedText }
        return switch storeCheck ?? check {
        case .filesystem: "the filesystem mounts, and its checker finds nothing wrong"
        case .opens: "recovery ends without error"
        case .consistent: "the store's own checker finds nothing wrong"
        case .writable: "a new write succeeds, and survives one more recovery"
        default: "the acknowledged values"
        }
    }

    var foundWords: String {
        [found?.description ?? "", detail].filter { !$0.isEmpty }.joined(separator: "; ")
    }
}
