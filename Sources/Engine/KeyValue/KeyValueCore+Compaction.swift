import Bytes
import Platform
import Storage

extension KeyValueCore {
    /// Copies all live records of the older segments to the end of the log, and removes these segments.
    ///
    /// Safe at every crash point: segments are removed only when the copies are durable, and from the oldest on, so that a
    /// tombstone is never removed before the record that it deletes. Concurrent writers and readers may continue; a writer of
    /// a key waits while that key is copied.
    func compact() throws(EngineError) -> CompactionReport {
        try compaction.withLock { () throws(EngineError) in
            try log.rotate()
            let end = log.activeBaseLSN
            var report = CompactionReport()
            for key in directory.keys {
                let spot = directory.spot(of: key)
                try spot.part.gate.withLock { () throws(EngineError) in
                    guard let location = directory.location(of: key, at: spot) else { return }
                    report.liveKeys += 1
                    if location.lsn >= end { return }
                    if hooks.skips(.copyNewestRecord), location.lsn + 1 == end { return }
                    let value = try readValue(of: key, at: location)
                    let place = try append(.put, key, value)
                    directory.set(key, at: spot, ValueLocation(place, payloadCount: value.count))
                    report.recordsWritten += 1
                    report.bytesWritten += Frame.size(keyCount: key.count, payloadCount: value.count)
                }
            }
            try hooks.run(.syncCopies) { () throws(EngineError) in try log.sync() }
            let removed = try log.truncate(before: end)
            files.forget(removed.map(\.sequence))
            report.segmentsRemoved = removed.count
            return report
        }
    }

    /// Writes all live records to an empty directory, in the order of the keys, so that equal contents give equal bytes.
    func compact(into target: any Storage) throws(EngineError) -> CompactionReport {
        try Self.write(directory.keys, to: target, options) { (key) throws(EngineError) in try get(key) }
    }

    /// Writes a store with these keys.
    static func write(
        _ keys: [ByteString], to target: any Storage, _ options: KeyValueOptions,
        value: (ByteString) throws(EngineError) -> [UInt8]?
    ) throws(EngineError) -> CompactionReport {
        guard try throughStorage({ () throws(StorageError) in try target.list() }).isEmpty else {
            throw .targetNotEmpty
        }
        let store = try KeyValueCore<SystemCoordination, NoHooks>(storage: target, options: options, hooks: NoHooks())
        var report = CompactionReport()
        for key in keys {
            guard let value = try value(key) else { continue }
            _ = try store.put(key, value)
            report.liveKeys += 1
            report.recordsWritten += 1
            report.bytesWritten += Frame.size(keyCount: key.count, payloadCount: value.count)
        }
        try store.close()
        return report
    }
}
