import Exploration
import Model

extension InjectedFault {
    /// The call and the fault: `write 0000-0000000001.log: EIO`.
    var storyText: String { "\(callWords): \(fault)" }

    /// Whether the fault reverts written data.
    var revertsData: Bool { if case .lose = fault { true } else { false } }

    /// `write a.log`, `read 4 of a.log`
    private var callWords: String {
        let place = path == "." ? "the store's directory" : path.description
        if let call = operation.readOnlyCall { return "\(call.kind.name) \(call.number) of \(place)" }
        return "\(kind.name) \(place)"
    }

    /// The effect of the fault in a sentence.
    var sentence: String { "The fault: \(callWords) \(effect)." }

    private var effect: String {
        switch fault {
        case .fail(let error): "failed with \(error) and did nothing"
        case .lose(let error, let loss):
            loss.reportsLate
                ? "returned 0 and lost the unsynced data; the next sync reports \(error)"
                : "failed with \(error) and lost the unsynced data, as on \(loss.rawValue): "
                    + (loss.revertsAtOnce
                        ? "reads see the old bytes at once" : "reads see the new bytes only while they are cached")
        case .lie: "returned 0 and made nothing durable"
        case .short(let count): "served only \(count.counted("byte"))"
        case .tear(let lost): "returned success, but \(ByteRangeText.bytes(lost)) of the file were not written"
        case .drop: "returned success, but wrote nothing"
        case .reorder: "was held back until the next sync, and then overwrote later data"
        case .bitflip(let offset, let bit, let location):
            "read byte \(offset) with bit \(bit) flipped" + (location == .atRest ? ", on disk from then on" : "")
        case .misdirect(let offset) where kind == .read: "read from byte \(offset) of the file instead"
        case .misdirect(let offset): "wrote to byte \(offset) of the file instead"
        case .stale: "read the bytes from before the last write"
        case .delay: "was slow"
        case .crash: "was the point of the power cut"
        }
    }
}
