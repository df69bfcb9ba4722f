import Bytes

extension OracleLine {
    /// Parses a line without its newline. `line` is its number, for errors.
    ///
    /// Fields may be in any order. An unknown field is an error and not ignored: a misspelt `phase` would turn an
    /// intent into an acknowledgement, and the store would be blamed.
    public static func parse(_ text: Span<UInt8>, line: Int) throws(OracleError) -> OracleLine {
        try text.withUnsafeBufferPointer { (bytes) throws(OracleError) in
            var scanner = LineScanner(bytes, line: line)
            var fields = Fields()
            try scanner.object { (scanner, name) throws(OracleError) in try fields.read(name, from: &scanner) }
            return try fields.meaning(line: line)
        }
    }

    public static func parse(_ text: [UInt8], line: Int) throws(OracleError) -> OracleLine {
        try parse(text.span, line: line)
    }
}

/// The fields of a line that were parsed so far.
private struct Fields {
    enum Kind { case put, delete, restart }
    enum Phase { case begin, failed }

    var kind: Kind?
    var phase: Phase?
    var seq: UInt64?
    var txn: UInt64?
    var key: [UInt8]?
    var payload: [UInt8]?

    @inline(__always)
    mutating func read(_ name: LineScanner.Token, from scanner: inout LineScanner) throws(OracleError) {
        if scanner.matches(name, "key") {
            try requireFirst(key != nil, "each field at most once", name, scanner)
            key = try scanner.base64()
        } else if scanner.matches(name, "payload") {
            try requireFirst(payload != nil, "each field at most once", name, scanner)
            payload = try scanner.base64()
        } else if scanner.matches(name, "seq") {
            try requireFirst(seq != nil, "each field at most once", name, scanner)
            seq = try scanner.number("a whole number")
        } else if scanner.matches(name, "op") {
            try requireFirst(kind != nil, "each field at most once", name, scanner)
            kind = try readKind(&scanner)
        } else if scanner.matches(name, "phase") {
            try requireFirst(phase != nil, "each field at most once", name, scanner)
            phase = try readPhase(&scanner)
        } else if scanner.matches(name, "txn") {
            try requireFirst(txn != nil, "each field at most once", name, scanner)
            txn = try scanner.number("a whole number")
        } else {
            throw scanner.unexpected("op, seq, key, payload, phase or txn", at: name)
        }
    }

    private func requireFirst(
        _ isRepeated: Bool, _ expected: StaticString, _ name: LineScanner.Token, _ scanner: LineScanner
    ) throws(OracleError) {
        if isRepeated { throw scanner.unexpected(expected, at: name) }
    }

    private func readKind(_ scanner: inout LineScanner) throws(OracleError) -> Kind {
        let value = try scanner.string("\"put\", \"del\" or \"restart\"")
        if scanner.matches(value, "put") { return .put }
        if scanner.matches(value, "del") { return .delete }
        if scanner.matches(value, "restart") { return .restart }
        throw scanner.unexpected("\"put\", \"del\" or \"restart\"", at: value)
    }

    private func readPhase(_ scanner: inout LineScanner) throws(OracleError) -> Phase {
        let value = try scanner.string("\"begin\" or \"failed\"")
        if scanner.matches(value, "begin") { return .begin }
        if scanner.matches(value, "failed") { return .failed }
        throw scanner.unexpected("\"begin\" or \"failed\"", at: value)
    }

    func meaning(line: Int) throws(OracleError) -> OracleLine {
        guard let kind else { throw .meaning(line: line, reason: "the line has no op") }
        if kind == .restart {
            guard phase == nil, seq == nil, txn == nil, key == nil, payload == nil else {
                throw .meaning(line: line, reason: "a restart has no other field")
            }
            return .restart
        }
        guard let seq else { throw .meaning(line: line, reason: "the operation has no seq") }
        guard let key else { throw .meaning(line: line, reason: "the operation has no key") }
        let action: Action
        switch (kind, payload) {
        case (.put, let payload?): action = .put(payload: payload)
        case (.put, nil): throw .meaning(line: line, reason: "a put without a payload")
        case (_, nil): action = .delete
        case (_, _?): throw .meaning(line: line, reason: "a del with a payload")
        }
        let operation = OracleOperation(seq: seq, key: ByteString(key), action: action, txn: txn)
        switch phase {
        case .begin: return .begin(operation)
        case .failed: return .failed(operation)
        case nil: return .acknowledged(operation)
        }
    }
}
