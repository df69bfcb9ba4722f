import Bytes

/// Applies records to a directory in the order of the log. A batch is applied when its commit comes.
struct KeyValueReplay {
    private let directory: KeyDirectory
    private var pending: [(key: ByteString, location: ValueLocation?)] = []

    /// Plants `batch-uncommitted`.
    private let appliesPartsAtOnce: Bool

    init(into directory: KeyDirectory, _ defects: some Defects) {
        self.directory = directory
        appliesPartsAtOnce = defects.has(.batchUncommitted)
    }

    mutating func take(_ frame: Frame, _ name: SegmentName) throws(EngineError) {
        // Parts without a commit belong to a batch that damage or a crash has cut.
        if !pending.isEmpty, !frame.type.isBatchPart, frame.type != .batchCommit { pending.removeAll() }
        switch frame.type {
        case .put: directory.set(frame.key, at: directory.spot(of: frame.key), location(frame, name))
        case .delete: directory.set(frame.key, at: directory.spot(of: frame.key), nil)
        case .batchPut where appliesPartsAtOnce:
            directory.set(frame.key, at: directory.spot(of: frame.key), location(frame, name))
        case .batchDelete where appliesPartsAtOnce:
            directory.set(frame.key, at: directory.spot(of: frame.key), nil)
        case .batchPut: pending.append((ByteString(frame.key), location(frame, name)))
        case .batchDelete: pending.append((ByteString(frame.key), nil))
        case .batchCommit:
            for (key, location) in pending { directory.set(key, at: directory.spot(of: key), location) }
            pending.removeAll()
        // A compaction would lose them.
        case .event, .checkpoint: throw .otherView(frame.type, LSN(frame.lsn))
        case .raw, .segment: break
        }
    }

    private func location(_ frame: Frame, _ name: SegmentName) -> ValueLocation {
        let place = Place(lsn: frame.lsn, sequence: name.sequence, offsetBytes: frame.offsetBytes)
        return ValueLocation(place, payloadCount: frame.payload.count)
    }
}
