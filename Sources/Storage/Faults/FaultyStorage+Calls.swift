import Bytes
import Glibc
import Model

extension FaultyStorage: Storage {
    /// How many times in a row a call is retried after an injected EINTR, before it fails with EINTR.
    static var interruptionLimit: Int { 100 }

    public func open(_ name: ByteString) throws(StorageError) -> any StorageFile {
        try open(name, isWritable: true) { (wrapped) throws(StorageError) in try wrapped.open(name) }
    }

    public func openForReading(_ name: ByteString) throws(StorageError) -> any StorageFile {
        try open(name, isWritable: false) { (wrapped) throws(StorageError) in try wrapped.openForReading(name) }
    }

    private func open(
        _ name: ByteString, isWritable: Bool, _ body: (any Storage) throws(StorageError) -> any StorageFile
    ) throws(StorageError) -> any StorageFile {
        try name.checkedAsFileName()
        return try perform(.open, .open, name) { () throws(StorageError) in
            try state.withLock { (state) throws(StorageError) in
                FaultyFile(try body(wrapped), isWritable: isWritable, node(name, &state), self)
            }
        }
    }

    public func create(_ name: ByteString) throws(StorageError) -> any StorageFile {
        try name.checkedAsFileName()
        return try perform(.create, .create, name) { () throws(StorageError) in
            try state.withLock { (state) throws(StorageError) in
                FaultyFile(try wrapped.create(name), isWritable: true, node(name, &state), self)
            }
        }
    }

    public func list() throws(StorageError) -> [ByteString] {
        try perform(.readdir, .list, ".") { () throws(StorageError) in try wrapped.list() }
    }

    public func rename(_ from: ByteString, to: ByteString) throws(StorageError) {
        try from.checkedAsFileName()
        try to.checkedAsFileName()
        let freed = from == to ? nil : to
        try perform(.rename, .rename, from, and: to, freeing: freed) { () throws(StorageError) in
            try state.withLock { (state) throws(StorageError) in
                try wrapped.rename(from, to: to)
                guard from != to else { return }
                let node = state.nodes.removeValue(forKey: from)
                node?.nameMatch.withLock { $0 = nameMatch(to, state) }
                state.nodes[to] = node
            }
        }
    }

    public func unlink(_ name: ByteString) throws(StorageError) {
        try name.checkedAsFileName()
        try perform(.unlink, .unlink, name, freeing: name) { () throws(StorageError) in
            try state.withLock { (state) throws(StorageError) in
                try wrapped.unlink(name)
                state.nodes[name] = nil
            }
        }
    }

    public func syncDirectory() throws(StorageError) {
        var interruptions = 0
        while true {
            let decision = try decide(
                .fsyncdir, .syncDirectory, ".", { (_, _) in }, matching: { ($0.source.match("."), nil) })
            switch decision.main?.fault {
            case .fail(.interrupted) where interruptions < Self.interruptionLimit: interruptions += 1
            case .fail(let error):
                let rule = decision.main!.rule
                recording?.recordFailed(.fsync(.root), errno: error.rawValue, fault: rule) {}
                throw .injected(.syncDirectory, name: ".", errno: error.rawValue, rule: rule)
            case .lie: return
            case .crash:
                try wrapped.syncDirectory()
                try crash(decision.main!.rule, .syncDirectory, ".")
            case nil, .delay, .lose, .short, .tear, .drop, .reorder, .bitflip, .misdirect, .stale:
                try wrapped.syncDirectory()
                return try checkPower(.syncDirectory, ".")
            }
        }
    }

    public func lockDirectory() throws(StorageError) -> any DirectoryLock {
        try perform(.lock, .lockDirectory, ".") { () throws(StorageError) in try wrapped.lockDirectory() }
    }

    /// Runs an operation that can only fail, be delayed or crash.
    ///
    /// - Parameter freed: the name whose file the operation removes or replaces, which returns its space to the quota.
    private func perform<Result>(
        _ kind: OperationKind, _ call: StorageCall, _ name: ByteString, and other: ByteString? = nil,
        freeing freed: ByteString? = nil, _ body: () throws(StorageError) -> Result
    ) throws(StorageError) -> Result {
        var interruptions = 0
        while true {
            let decision = try decide(
                kind, call, name,
                { (attempt, needs) in
                    // A missing file frees nothing; the wrapped storage decides whether that is an error.
                    guard needs.growth, let freed, let file = try? wrapped.openForReading(freed) else { return }
                    attempt.growthBytes = -Int64(clamping: (try? file.length()) ?? 0)
                },
                matching: { state in (state.source.match(name), other.map { state.source.match($0) }) })
            switch decision.main?.fault {
            case .fail(.interrupted) where interruptions < Self.interruptionLimit: interruptions += 1
            case .fail(let error):
                throw .injected(call, name: name, errno: error.rawValue, rule: decision.main!.rule)
            case .crash:
                _ = try body()
                try crash(decision.main!.rule, call, name)
            case nil, .delay, .lose, .lie, .short, .tear, .drop, .reorder, .bitflip, .misdirect, .stale:
                return try body()
            }
        }
    }
}
