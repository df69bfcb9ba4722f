import Bytes
import Platform
import Storage

/// What a planted bug makes of the storage beneath the engine.
enum PlantedStorage {
    /// A sync of a file returns at once, and is done before the file changes next.
    case syncsLate
    /// A call does nothing and says that all is well.
    case skips(StorageCall)
}

extension PlantedBug {
    /// The storage with the part of the bug that lives there; most bugs live in the engine, and change nothing here.
    package func wrapping(_ storage: any Storage) -> any Storage {
        switch hook {
        case .step: storage
        case .storage(.syncsLate): InterposedStorage(storage, LateSync())
        case .storage(.skips(let call)): InterposedStorage(storage, Skipping(call))
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
