import Bytes
import Storage

@testable import Engine

/// Small segments and buffers, so that a test crosses their ends.
let small = KeyValueOptions(
    log: LogOptions(segmentSizeBytes: 4 << 10, zeroAheadBytes: 1 << 10, bufferSizeBytes: 4 << 10))

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

extension KeyValueStore {
    /// Everything in the store, by key.
    func dump() throws -> [ByteString: [UInt8]] {
        Dictionary(uniqueKeysWithValues: try items().map { ($0.key, $0.value) })
    }
}

/// Opens what is there as a new process would after a crash: from a copy, without the lock of the store that wrote it.
func reopen(
    _ storage: MemoryStorage, options: KeyValueOptions = small
) throws -> KeyValueStore {
    try KeyValueStore.open(storage: MemoryStorage(contents: storage.contents()), options: options)
}
