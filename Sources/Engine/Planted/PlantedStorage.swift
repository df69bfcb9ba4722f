import Bytes
import Platform
import Storage

/// How a planted bug changes the storage below the engine.
enum PlantedStorage {
    /// A sync of a file returns immediately, and happens before the next change of the file.
    case syncsLate
    /// A call does nothing and returns success.
    case skips(StorageCall)
}

extension PlantedBug {
    /// The storage with the bug, if the bug is in the storage. Most bugs are in the engine and change nothing here.
    package func wrapping(_ storage: any Storage) -> any Storage {
        switch hook {
        case .step: storage
        case .storage(.syncsLate): InterposedStorage(storage, LateSync())
        case .storage(.skips(let call)): InterposedStorage(storage, Skipping(call))
        }
    }
}

/// A storage whose sync of a file returns immediately, and happens before the next change of the file.
private final class LateSync: StorageInterposer {
    private typealias PostponedSync = @Sendable () throws(StorageError) -> Void
    private let postponedSyncs = Guarded<[ByteString: PostponedSync]>([:])

    func interpose(
        _ call: StorageCall, _ name: ByteString, proceed: @escaping @Sendable () throws(StorageError) -> Void
    ) throws(StorageError) {
        if call == .sync {
            postponedSyncs.withLock { $0[name] = proceed }
        } else {
            try postponedSyncs.withLock { $0.removeValue(forKey: name) }?()
            try proceed()
        }
    }
}

/// A storage on which a call does nothing and returns success.
private struct Skipping: StorageInterposer {
    private let skipped: StorageCall

    init(_ skipped: StorageCall) { self.skipped = skipped }

    func interpose(
        _ call: StorageCall, _ name: ByteString, proceed: @escaping @Sendable () throws(StorageError) -> Void
    ) throws(StorageError) {
        if call != skipped { try proceed() }
    }
}
