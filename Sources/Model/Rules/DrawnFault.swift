/// A fault with all random decisions made, so that it can be repeated without a random stream. Offsets are in bytes of the
/// file.
public enum DrawnFault: Hashable, Sendable {
    case fail(ErrorNumber)
    case lose(ErrorNumber, FsyncLoss)
    case lie
    /// Only the first bytes of the request are served.
    case short(countBytes: UInt64)
    /// These bytes of the request are not written.
    case tear(lost: Range<UInt64>)
    case drop
    /// Held back until the next barrier, and then written in the order of the ranks.
    case reorder(rank: UInt64)
    case bitflip(offsetBytes: UInt64, bit: UInt8, Injection.BitflipLocation)
    /// The read or write happens at this offset instead.
    case misdirect(toBytes: UInt64)
    case stale
    case delay(nanoseconds: UInt64)
    case crash(Injection.CrashSide)
}

extension DrawnFault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .fail(let error): "\(error)"
        case .lose(let error, let loss): "\(error) lose \(loss.rawValue)"
        case .lie: "lie"
        case .short(let count): "short \(count)"
        case .tear(let lost): "tear \(lost.lowerBound)..\(lost.upperBound)"
        case .drop: "drop"
        case .reorder(let rank): "reorder \(rank)"
        case .bitflip(let offset, let bit, let location):
            "bitflip \(offset).\(bit)" + (location == .atRest ? " at-rest" : "")
        case .misdirect(let offset): "misdirect \(offset)"
        case .stale: "stale"
        case .delay(let duration): "delay \(Quantity.text(duration, Quantity.time))"
        case .crash(let side): "crash \(side.rawValue)"
        }
    }

    /// Parses the output of `description`; nil for anything else.
    public init?(parsing text: some StringProtocol) {
        let words = text.split(separator: " ")
        guard let first = words.first else { return nil }
        switch (first, words.count) {
        case ("lie", 1): self = .lie
        case ("drop", 1): self = .drop
        case ("stale", 1): self = .stale
        case ("crash", 2):
            guard let side = Injection.CrashSide(rawValue: String(words[1])) else { return nil }
            self = .crash(side)
        case ("delay", 2):
            guard let duration = Quantity.parse(words[1], Quantity.time) else { return nil }
            self = .delay(nanoseconds: duration)
        case ("bitflip", 2), ("bitflip", 3):
            let parts = words[1].split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count == 2, let offset = UInt64(parts[0]), let bit = UInt8(parts[1]), bit < 8,
                words.count == 2 || words[2] == "at-rest"
            else { return nil }
            self = .bitflip(offsetBytes: offset, bit: bit, words.count == 3 ? .atRest : .inFlight)
        case ("tear", 2):
            guard let ends = RuleParser.ends(String(words[1])), let from = UInt64(ends.0), let to = UInt64(ends.1),
                from < to
            else { return nil }
            self = .tear(lost: from..<to)
        case ("short", 2), ("reorder", 2), ("misdirect", 2):
            guard let number = UInt64(words[1]) else { return nil }
            self = first == "short" ? .short(countBytes: number) : .reorder(rank: number)
            if first == "misdirect" { self = .misdirect(toBytes: number) }
        case (_, 1):
            guard let error = ErrorNumber(name: first) else { return nil }
            self = .fail(error)
        case (_, 3):
            guard let error = ErrorNumber(name: first), words[1] == "lose",
                let loss = FsyncLoss(rawValue: String(words[2]))
            else { return nil }
            self = .lose(error, loss)
        default: return nil
        }
    }
}
