import Model

extension InjectedFault {
    /// Which call, and what was done to it: `write 0000-0000000001.log: EIO`.
    var storyDeed: String { "\(callWords): \(fault)" }

    /// Whether what storage had taken is put back as it was.
    var undoes: Bool { if case .lose = fault { true } else { false } }

    /// `write a.log`, `read 4 of a.log`
    private var callWords: String {
        let place = path == "." ? "the store's directory" : path.description
        if let question = operation.question { return "\(question.kind.name) \(question.number) of \(place)" }
        return "\(kind.name) \(place)"
    }

    /// What the fault means, in a sentence.
    var sentence: String { "The fault: \(callWords) \(effect)." }

    private var effect: String {
        switch fault {
        case .fail(let error): "failed with \(error) and did nothing"
        case .lose(let error, let loss):
            loss.reportsLate
                ? "returned 0 and lost what it covered; the next sync reports \(error)"
                : "failed with \(error) and lost what it covered, as on \(loss.rawValue): "
                    + (loss.revertsAtOnce
                        ? "reads see the old bytes at once" : "reads see the new bytes only while they are cached")
        case .lie: "returned 0 and made nothing durable"
        case .short(let count): "served only \(count.counted("byte"))"
        case .tear(let lost): "returned as if done, and \(ByteRangeWords.bytes(lost)) of the file were not written"
        case .drop: "returned as if done, and wrote nothing"
        case .reorder: "was held back until the next sync, and then written over what came later"
        case .bitflip(let offset, let bit, let place):
            "met byte \(offset) with bit \(bit) flipped" + (place == .atRest ? ", as it is on disk from then on" : "")
        case .misdirect(let offset) where kind == .read: "read what stands from byte \(offset) of the file on"
        case .misdirect(let offset): "went to byte \(offset) of the file instead"
        case .stale: "got the bytes as they were before they were last written"
        case .delay: "was slow"
        case .crash: "was where the power went"
        }
    }
}
