extension Rule: CustomStringConvertible {
    /// The canonical text of the rule.
    public var description: String {
        var words: [String] = []
        switch action {
        case .inject(let injection, _): words.append(injection.operationText)
        case .quota: words.append("any")
        }
        if let path { words.append("path=\(path)") }
        if let process { words.append("process=\(process)") }
        if let between { words.append("between=\(Rule.text(between) { "\($0)" })") }
        if case .inject(let injection, _) = action, let data = injection.dataConditions { words += data.words }
        if let afterSyncs { words.append("after-fsync=\(afterSyncs.value)") }
        switch action {
        case .inject(let injection, let selection):
            if let word = selection.word { words.append(word) }
            words += ["->", injection.faultText]
        case .quota(let bytes, let error):
            words += ["->", "quota", Quantity.text(bytes, Quantity.bytes)]
            if error != .noSpace { words.append(error.rawValue) }
        }
        return words.joined(separator: " ")
    }

    /// `7`, `7..9` with both ends included, or `7..`.
    fileprivate static func text(_ range: ClosedRange<UInt64>, _ number: (UInt64) -> String) -> String {
        if range.lowerBound == range.upperBound { return number(range.lowerBound) }
        return number(range.lowerBound) + ".." + (range.upperBound == .max ? "" : number(range.upperBound))
    }
}

extension DataConditions {
    fileprivate var words: [String] {
        func bytes(_ value: UInt64) -> String { Quantity.text(value, Quantity.bytes) }
        var words: [String] = []
        if let offsetsBytes {
            // The text excludes the end: offset=0..4KiB is the first page.
            let (first, last) = (offsetsBytes.lowerBound, offsetsBytes.upperBound)
            let end = last == .max ? ".." : first == last ? "" : "..\(bytes(last + 1))"
            words.append("offset=\(bytes(first))\(end)")
        }
        if let sizesBytes { words.append("size=\(Rule.text(sizesBytes, bytes))") }
        if let afterBytes { words.append("after=\(bytes(afterBytes))") }
        return words
    }
}

extension Selection {
    fileprivate var word: String? {
        switch self {
        case .all: nil
        case .nth(let number): "nth=\(number.value)"
        case .every(let number): "every=\(number.value)"
        case .chance(let ratio): "p=\(ratio.numerator)/\(ratio.denominator)"
        }
    }
}

extension Injection {
    fileprivate var operationText: String {
        switch self {
        case .read: "read"
        case .write: "write"
        case .sync(let kind, _): kind.rawValue
        case .directorySync: "fsyncdir"
        case .other(let kind, _): kind.rawValue
        case .any: "any"
        }
    }

    fileprivate var faultText: String {
        switch self {
        case .read(let fault, _): fault.text
        case .write(let fault, _): fault.text
        case .sync(_, .generic(let fault)), .directorySync(.generic(let fault)): fault.text
        case .sync(_, .lie), .directorySync(.lie): "lie"
        case .sync(_, .lose(let error, let loss)): "\(error) lose" + (loss == .ext4 ? "" : " \(loss.rawValue)")
        case .other(_, let fault), .any(let fault): fault.text
        }
    }
}

extension Injection.GenericFault {
    fileprivate var text: String {
        switch self {
        case .fail(let error): error.name
        case .delay(let delay): "delay \(delay)"
        case .crash(.before): "crash"
        case .crash(.after): "crash after"
        }
    }
}

extension Injection.ReadFault {
    fileprivate var text: String {
        switch self {
        case .generic(let fault): fault.text
        case .short(let count): "short \(Quantity.text(count, Quantity.bytes))"
        case .bitflip(.inFlight): "bitflip"
        case .bitflip(.atRest): "bitflip at-rest"
        case .misdirect: "misdirect"
        case .stale: "stale"
        }
    }
}

extension Injection.WriteFault {
    fileprivate var text: String {
        switch self {
        case .generic(let fault): fault.text
        case .short(let count): "short \(Quantity.text(count, Quantity.bytes))"
        case .tear(let unit): "tear \(unit.rawValue)"
        case .drop: "drop"
        case .reorder: "reorder"
        case .misdirect: "misdirect"
        }
    }
}
