extension RuleParser {
    /// Parses the action after `->`.
    mutating func action(_ operation: Operation) throws(RuleError) -> Rule.Action {
        let word = words.next()
        guard let word else { throw words.error(nil, expected: "a fault: \(Self.faults(operation))") }
        if case .any = operation, word.text == "quota" { return try quota() }
        return .inject(try injection(operation, word), selection)
    }

    private mutating func injection(_ operation: Operation, _ word: RuleWords.Word) throws(RuleError) -> Injection {
        switch operation {
        case .read:
            if let fault = try readFault(word) { return .read(fault, data) }
        case .write:
            if let fault = try writeFault(word) { return .write(fault, data) }
        case .sync(let kind):
            if let fault = try syncFault(word) { return .sync(kind, fault) }
        case .directorySync:
            if word.text == "lie" { return .directorySync(.lie) }
            if let fault = try generic(word) { return .directorySync(.generic(fault)) }
        case .other(let kind):
            if let fault = try generic(word) { return .other(kind, fault) }
        case .any:
            if let fault = try generic(word) { return .any(fault) }
        }
        let home = Self.homes[word.text].map { " ('\(word.text)' goes with \($0))" } ?? ""
        throw words.error(word, expected: "a fault: \(Self.faults(operation))\(home)")
    }

    private static let homes = [
        "short": "read and write", "misdirect": "read and write", "bitflip": "read", "stale": "read",
        "tear": "write", "drop": "write", "reorder": "write", "lie": "fsync, fdatasync and fsyncdir", "quota": "any",
    ]

    private static func faults(_ operation: Operation) -> String {
        let own =
            switch operation {
            case .read: "short BYTES, bitflip [at-rest], misdirect, stale, "
            case .write: "short BYTES, tear 512, tear 4096, drop, reorder, misdirect, "
            case .sync: "an errno and lose, lie, "
            case .directorySync: "lie, "
            case .other: ""
            case .any: "quota BYTES, "
            }
        return own + "an errno such as EIO, delay TIME or crash"
    }

    /// nil if the word does not begin a generic fault.
    private mutating func generic(_ word: RuleWords.Word) throws(RuleError) -> Injection.GenericFault? {
        switch word.text {
        case "crash":
            if words.take("after") { return .crash(.after) }
            _ = words.take("before")
            return .crash(.before)
        case "delay": return .delay(try delay())
        default: return try error(word).map { .fail($0) }
        }
    }

    private func error(_ word: RuleWords.Word) throws(RuleError) -> ErrorNumber? {
        guard word.text.first == "E" else { return nil }
        guard let error = ErrorNumber(name: word.text) else {
            throw words.error(word, expected: "the name of an errno, such as EIO or ENOSPC")
        }
        return error
    }

    private mutating func delay() throws(RuleError) -> Delay {
        let longest = Quantity.text(Delay.longestNanoseconds, Quantity.time)
        let units = "in ns, us, ms or s, at most \(longest)"
        if words.take("exponential") {
            let word = words.next()
            guard let word, let mean = Self.duration(word.text) else {
                throw words.error(word, expected: "a time \(units), such as 20ms")
            }
            return .exponential(meanNanoseconds: mean)
        }
        let expected = "a time \(units), such as 20ms, 5ms..20ms or exponential 20ms"
        let word = words.next()
        guard let word else { throw words.error(nil, expected: expected) }
        if let ends = Self.ends(word.text) {
            guard let low = Self.duration(ends.0), let high = Self.duration(ends.1), low <= high else {
                throw words.error(word, expected: expected)
            }
            return .uniform(nanoseconds: low...high)
        }
        guard let duration = Self.duration(word.text) else { throw words.error(word, expected: expected) }
        return .constant(nanoseconds: duration)
    }

    private static func duration(_ text: some StringProtocol) -> UInt64? {
        Quantity.parse(text, Quantity.time).flatMap { $0 <= Delay.longestNanoseconds ? $0 : nil }
    }

    private mutating func readFault(_ word: RuleWords.Word) throws(RuleError) -> Injection.ReadFault? {
        switch word.text {
        case "short": return .short(countBytes: try bytes(words.next()))
        case "bitflip": return .bitflip(words.take("at-rest") ? .atRest : .inFlight)
        case "misdirect": return .misdirect
        case "stale": return .stale
        default: return try generic(word).map { .generic($0) }
        }
    }

    private mutating func writeFault(_ word: RuleWords.Word) throws(RuleError) -> Injection.WriteFault? {
        switch word.text {
        case "short": return .short(countBytes: try bytes(words.next()))
        case "tear":
            let word = words.next()
            guard let word, let size = Self.number(word.text[...]), let unit = Injection.TearUnit(rawValue: size) else {
                throw words.error(word, expected: "512 or 4096, the unit that is never torn")
            }
            return .tear(unit)
        case "drop": return .drop
        case "reorder": return .reorder
        case "misdirect": return .misdirect
        default: return try generic(word).map { .generic($0) }
        }
    }

    private mutating func syncFault(_ word: RuleWords.Word) throws(RuleError) -> Injection.SyncFault? {
        if word.text == "lie" { return .lie }
        guard let fault = try generic(word) else { return nil }
        guard case .fail(let error) = fault, words.take("lose") else { return .generic(fault) }
        guard let name = words.next() else { return .lose(error, .ext4) }
        guard let loss = FsyncLoss(rawValue: name.text) else {
            throw words.error(name, expected: "ext4, ext4-journal, xfs or btrfs")
        }
        return .lose(error, loss)
    }

    private mutating func quota() throws(RuleError) -> Rule.Action {
        if let selectionWord {
            throw words.error(selectionWord, expected: "no nth=, every= or p= with quota, which counts bytes")
        }
        let limit = try bytes(words.next())
        guard let name = words.next() else { return .quota(bytes: limit, .noSpace) }
        guard let error = Rule.QuotaError(rawValue: name.text) else {
            throw words.error(name, expected: "ENOSPC or EDQUOT")
        }
        return .quota(bytes: limit, error)
    }
}
