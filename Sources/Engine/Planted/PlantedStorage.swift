import Bytes
import Storage

extension PlantedBug {
    /// The storage with the part of the bug that lives there; most bugs live in the engine, and change nothing here.
    func wrapping(_ storage: any Storage) -> any Storage {
        switch self {
        case .ackBeforeSync: InterposedStorage(storage, LateSync())
        case .neverSync: InterposedStorage(storage, Skipping(.sync))
        case .directoryUnsynced: InterposedStorage(storage, Skipping(.syncDirectory))
        default: storage
        }
    }
}

/// A sync of a file returns at once, and is done before the file changes next.
private final class LateSync: StorageInterposer {
    private typealias Debt = @Sendable () throws(StorageError) -> Void
    private let owed = Guarded<[ByteString: Debt]>([:])

    func interpose(
        _ call: StorageCall, _ name: ByteString, proceed: @escaping @Sendable () throws(StorageError) -> Void
    ) throws(StorageError) {
        if call == .sync {
            owed.withLock { $0[name] = proceed }
        } else {
            try owed.withLock { $0.removeValue(forKey: name) }?()
            try proceed()
        }
    }
}

/// A call that does nothing and says that all is well.
private struct Skipping: StorageInterposer {
    private let skipped: StorageCall

    init(_ skipped: StorageCall) { self.skipped = skipped }

    func interpose(
        _ call: StorageCall, _ name: ByteString, proceed: @escaping @Sendable () throws(StorageError) -> Void
    ) throws(StorageError) {
        if call != skipped { try proceed() }
    }
}
