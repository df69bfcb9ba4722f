import Bytes
import Glibc
import Model
import Platform

/// Wraps any storage and records every change and barrier as trace events. The model derives from the trace what a
/// crash at each point may leave.
///
/// A change is recorded under the lock that also covers the wrapped call, so trace order is the order of effect. A
/// barrier has a begin and an end event, with changes possibly in between. Failed changes are not recorded: put a
/// storage that injects faults *above* this one, where its partial effects arrive as ordinary calls. A failed barrier
/// is recorded with its errno.
///
/// The base tree is the initial content: regular files in the root, all durable. The driver of the store records oracle
/// lines (`record(oracle:)`), in order with the operations.
///
/// Events and data are kept in memory (`events`, `payloads`) or written to a trace file, so that memory does not grow.
///
/// Threads: as for every storage; changes are serialised.
public final class RecordingStorage: Storage {
    /// The data of writes and oracle lines, unless they go to a trace file.
    public let payloads: PayloadArena
    /// The tree before the first event.
    public let base: Tree

    private let wrapped: any Storage
    private let state: Guarded<RecordingState>
    private let process = getpid()

    fileprivate struct RecordingState: ~Copyable {
        private(set) var events: [TraceEvent] = []
        private(set) var eventCount = 0
        /// Receives the events; nil to keep them in memory.
        var trace: TraceWriter?
        /// Why the trace could not be written. Recording has stopped then.
        private(set) var failure: TraceFileError?
        let payloads: PayloadArena
        /// Whether recording has stopped.
        var isStopped = false
        var inodes: [ByteString: InodeID]
        var lastInode: UInt64
        var lastOperation: UInt64 = 0

        mutating func nextOperation() -> OperationID {
            lastOperation += 1
            return OperationID(lastOperation)
        }

        init(
            _ payloads: PayloadArena, _ trace: consuming TraceWriter?, _ inodes: [ByteString: InodeID],
            lastInode: UInt64
        ) {
            self.payloads = payloads
            self.trace = trace
            self.inodes = inodes
            self.lastInode = lastInode
        }

        /// Appends an event with its data.
        mutating func append(
            _ event: TraceEvent, data: UnsafeRawBufferPointer = .init(start: nil, count: 0)
        ) {
            guard !isStopped else { return }
            eventCount += 1
            guard trace != nil else {
                events.append(data.isEmpty ? event : event.moved(to: payloads.store(data)))
                return
            }
            do throws(TraceFileError) { try trace?.append(event, data: data) } catch {
                failure = error
                isStopped = true
            }
        }

        mutating func finish() throws(TraceFileError) {
            isStopped = true
            if let failure { throw failure }
            try trace?.finish()
        }
    }

    /// Reads the initial content of `wrapped`. Keeps the trace in memory.
    public convenience init(_ wrapped: any Storage, payloads: PayloadArena = PayloadArena()) throws(StorageError) {
        let (base, inodes, last) = try Self.contents(of: wrapped, payloads)
        self.init(wrapped, base, RecordingState(payloads, nil, inodes, lastInode: last))
    }

    /// Reads the initial content of `wrapped`. Writes the trace to a new file at `path`, which is complete after
    /// `finish`.
    package convenience init(_ wrapped: any Storage, writingTo path: ByteString) throws {
        let payloads = PayloadArena()
        let (base, inodes, last) = try Self.contents(of: wrapped, payloads)
        var trace = try TraceWriter(creating: path)
        try trace.append(base: base, from: payloads)
        self.init(wrapped, base, RecordingState(PayloadArena(), trace, inodes, lastInode: last))
    }

    private init(_ wrapped: any Storage, _ base: Tree, _ state: consuming RecordingState) {
        self.wrapped = wrapped
        self.base = base
        payloads = state.payloads
        self.state = Guarded(state)
    }

    private static func contents(
        of wrapped: any Storage, _ payloads: PayloadArena
    ) throws(StorageError) -> (base: Tree, inodes: [ByteString: InodeID], lastInode: UInt64) {
        var base = Tree()
        var inodes: [ByteString: InodeID] = [:]
        var last = InodeID.root.rawValue
        for name in try wrapped.list().sorted() {
            last += 1
            let content = try wrapped.openForReading(name).contents()
            var node = Node(kind: .regular, attributes: Self.attributes)
            node.sizeBytes = UInt64(content.count)
            node.content.write(payloads.store(content), at: 0)
            base.nodes[InodeID(last)] = node
            base.nodes[.root]?.entries[name] = InodeID(last)
            inodes[name] = InodeID(last)
        }
        return (base, inodes, last)
    }

    /// The trace so far; empty when it goes to a file. A crash point is an event count.
    public var events: [TraceEvent] { state.withLock { $0.events } }

    public var eventCount: Int { state.withLock { $0.eventCount } }

    /// Stops recording and completes the trace file. Throws when it could not be written.
    package func finish() throws(TraceFileError) {
        try state.withLock { (state) throws(TraceFileError) in try state.finish() }
    }

    /// Records an oracle line, without its newline, after all changes that have taken effect.
    public func record(oracle line: [UInt8]) {
        let payload = Payload(offsetBytes: 0, countBytes: UInt64(line.count))
        line.withUnsafeBytes { line in state.withLock { $0.append(.oracle(payload), data: line) } }
    }

    // MARK: - Faults above

    /// Records a fault that was injected above, under its own operation id. The operations that remain of the faulty
    /// call follow.
    package func record(fault rule: ByteString) {
        state.withLock { $0.append(.fault($0.nextOperation(), rule: rule)) }
    }

    /// Records a barrier that failed because of a fault above, without calling the wrapped storage. Changes made by
    /// `body` fall between its begin and end.
    package func recordFailed<Failure: Error>(
        _ barrier: Barrier, errno: Int32, fault rule: ByteString, _ body: () throws(Failure) -> Void
    ) throws(Failure) {
        let id = state.withLock { state in
            let id = state.nextOperation()
            state.append(.barrierBegan(id, barrier, process: process))
            state.append(.fault(id, rule: rule))
            return id
        }
        defer { state.withLock { $0.append(.barrierEnded(id, errno: errno)) } }
        try body()
    }

    /// Stops recording, for a power cut: even the end of a barrier in flight is not recorded.
    package func stop() { state.withLock { $0.isStopped = true } }

    // MARK: - Storage

    public func open(_ name: ByteString) throws(StorageError) -> any StorageFile {
        let (file, inode) = try state.withLock { (state) throws(StorageError) in
            (try wrapped.open(name), state.inodes[name])
        }
        guard let inode else { throw .failed(.open, name: name, errno: ESTALE) }
        return RecordingFile(file, inode, self)
    }

    public func openForReading(_ name: ByteString) throws(StorageError) -> any StorageFile {
        try wrapped.openForReading(name)
    }

    public func create(_ name: ByteString) throws(StorageError) -> any StorageFile {
        try state.withLock { (state) throws(StorageError) in
            let file = try wrapped.create(name)
            state.lastInode += 1
            let inode = InodeID(state.lastInode)
            state.inodes[name] = inode
            append(.create(inode, .regular, Self.attributes, at: DirectoryEntry(.root, name)), to: &state)
            return RecordingFile(file, inode, self)
        }
    }

    public func list() throws(StorageError) -> [ByteString] { try wrapped.list() }

    public func rename(_ from: ByteString, to: ByteString) throws(StorageError) {
        try state.withLock { (state) throws(StorageError) in
            try wrapped.rename(from, to: to)
            if from == to { return }
            state.inodes[to] = state.inodes.removeValue(forKey: from)
            append(.rename(from: DirectoryEntry(.root, from), to: DirectoryEntry(.root, to), .replace), to: &state)
        }
    }

    public func unlink(_ name: ByteString) throws(StorageError) {
        try state.withLock { (state) throws(StorageError) in
            try wrapped.unlink(name)
            state.inodes[name] = nil
            append(.unlink(DirectoryEntry(.root, name)), to: &state)
        }
    }

    public func syncDirectory() throws(StorageError) {
        try record(.fsync(.root)) { () throws(StorageError) in try wrapped.syncDirectory() }
    }

    public func lockDirectory() throws(StorageError) -> any DirectoryLock { try wrapped.lockDirectory() }

    private static let attributes = Attributes(mode: 0o600)

    private func append(
        _ change: Change, data: UnsafeRawBufferPointer = .init(start: nil, count: 0), to state: inout RecordingState
    ) {
        state.append(.operation(Operation(id: state.nextOperation(), change, process: process)), data: data)
    }

    /// - Parameter data: the data of a write.
    fileprivate func record(
        _ change: Change, data: UnsafeRawBufferPointer = .init(start: nil, count: 0),
        _ call: () throws(StorageError) -> Void
    ) throws(StorageError) {
        try state.withLock { (state) throws(StorageError) in
            try call()
            append(change, data: data, to: &state)
        }
    }

    fileprivate func record(
        _ barrier: Barrier, _ call: () throws(StorageError) -> Void
    ) throws(StorageError) {
        let id = state.withLock { state in
            let id = state.nextOperation()
            state.append(.barrierBegan(id, barrier, process: process))
            return id
        }
        do {
            try call()
        } catch {
            state.withLock { $0.append(.barrierEnded(id, errno: error.errno)) }
            throw error
        }
        state.withLock { $0.append(.barrierEnded(id, errno: 0)) }
    }
}

final class RecordingFile: StorageFile {
    private let wrapped: any StorageFile
    private let inode: InodeID
    private let storage: RecordingStorage

    init(_ wrapped: any StorageFile, _ inode: InodeID, _ storage: RecordingStorage) {
        self.wrapped = wrapped
        self.inode = inode
        self.storage = storage
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offsetBytes: UInt64) throws(StorageError) -> Int {
        try wrapped.read(into: buffer, at: offsetBytes)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offsetBytes: UInt64) throws(StorageError) {
        guard bytes.count > 0 else { return try wrapped.write(bytes, at: offsetBytes) }
        let data = Payload(offsetBytes: 0, countBytes: UInt64(bytes.count))
        let change = Change.write(inode, offsetBytes: offsetBytes, data: data)
        try storage.record(change, data: bytes) { () throws(StorageError) in
            try wrapped.write(bytes, at: offsetBytes)
        }
    }

    func truncate(to sizeBytes: UInt64) throws(StorageError) {
        try storage.record(.truncate(inode, sizeBytes: sizeBytes)) { () throws(StorageError) in
            try wrapped.truncate(to: sizeBytes)
        }
    }

    func preallocate(at offsetBytes: UInt64, countBytes: UInt64) throws(StorageError) {
        guard countBytes > 0 else { return try wrapped.preallocate(at: offsetBytes, countBytes: countBytes) }
        let change = Change.allocate(inode, offsetBytes: offsetBytes, countBytes: countBytes, .extend)
        try storage.record(change) { () throws(StorageError) in
            try wrapped.preallocate(at: offsetBytes, countBytes: countBytes)
        }
    }

    func sync() throws(StorageError) {
        try storage.record(.fdatasync(inode)) { () throws(StorageError) in try wrapped.sync() }
    }

    func length() throws(StorageError) -> UInt64 { try wrapped.length() }

    /// See `RecordingStorage.recordFailed`.
    func recordFailedSync<Failure: Error>(
        errno: Int32, fault rule: ByteString, _ body: () throws(Failure) -> Void
    ) throws(Failure) {
        try storage.recordFailed(.fdatasync(inode), errno: errno, fault: rule, body)
    }
}
