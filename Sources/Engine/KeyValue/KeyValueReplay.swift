import Bytes
import Platform

/// Applies records to a directory in the order of the log. A batch is applied when its commit is read.
///
/// Puts are queued until there are several for one partition. Call `finish` after the last record.
struct KeyValueReplay<C: Coordination> {
    private let directory: KeyDirectory<C>
    /// For each partition of the directory.
    private var waiting: [QueuedPuts]

    private var pending: [(key: ByteString, location: ValueLocation?)] = []

    /// Only for the planted bug that skips `awaitBatchCommit`.
    private let appliesPartsAtOnce: Bool

    init(into directory: KeyDirectory<C>, _ hooks: some Hooks) {
        self.directory = directory
        waiting = [QueuedPuts](repeating: QueuedPuts(), count: directory.partCount)
        appliesPartsAtOnce = hooks.skips(.awaitBatchCommit)
    }

    mutating func take(_ frame: Frame, _ name: SegmentName) throws(EngineError) {
        // Parts without a commit belong to a batch that damage or a crash cut off.
        if !pending.isEmpty, !frame.type.isBatchPart, frame.type != .batchCommit { pending.removeAll() }
        switch frame.type {
        case .put: put(frame, name)
        case .delete:
            finish()
            directory.set(frame.key, at: directory.spot(of: frame.key), nil)
        case .batchPut where appliesPartsAtOnce:
            finish()
            directory.set(frame.key, at: directory.spot(of: frame.key), location(frame, name))
        case .batchDelete where appliesPartsAtOnce:
            finish()
            directory.set(frame.key, at: directory.spot(of: frame.key), nil)
        case .batchPut: pending.append((ByteString(frame.key), location(frame, name)))
        case .batchDelete: pending.append((ByteString(frame.key), nil))
        case .batchCommit:
            finish()
            for (key, location) in pending { directory.set(key, at: directory.spot(of: key), location) }
            pending.removeAll()
        // A compaction would lose records of other views.
        case .event, .checkpoint: throw .otherView(frame.type, LSN(frame.lsn))
        case .raw, .segment, .close: break
        }
    }

    @inline(__always)
    private mutating func put(_ frame: Frame, _ name: SegmentName) {
        let (part, hash) = directory.hash(frame.key)
        waiting[part].add(frame.key, hash: hash, location(frame, name))
        if waiting[part].isFull { finish(part) }
    }

    /// Applies the queued puts.
    mutating func finish() {
        for part in waiting.indices where !waiting[part].puts.isEmpty { finish(part) }
    }

    private mutating func finish(_ part: Int) {
        directory.set(waiting[part], inPart: part)
        waiting[part].removeAll()
    }

    private func location(_ frame: Frame, _ name: SegmentName) -> ValueLocation {
        let place = Place(lsn: frame.lsn, sequence: name.sequence, offsetBytes: frame.offsetBytes)
        return ValueLocation(place, payloadCount: frame.payload.count)
    }
}
