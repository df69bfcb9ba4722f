import Bytes

/// Applies records to a directory in the order of the log. A batch is applied when its commit comes.
///
/// Puts wait until a few have come: by then the processor has brought near the places that they go to. So `finish` is called
/// after the last record.
struct KeyValueReplay {
    private let directory: KeyDirectory
    private struct Put {
        var spot: KeyDirectory.Spot
        var keyCount: Int
        var location: ValueLocation
    }

    private var puts: [Put] = []
    /// The keys of `puts`, side by side.
    private var putKeys: [UInt8] = []
    private static var largestPutCount: Int { 32 }

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
        // A compaction would lose them.
        case .event, .checkpoint: throw .otherView(frame.type, LSN(frame.lsn))
        case .raw, .segment: break
        }
    }

    @inline(__always)
    private mutating func put(_ frame: Frame, _ name: SegmentName) {
        let spot = directory.spot(of: frame.key)
        spot.prefetch()
        putKeys.append(contentsOf: frame.key)
        puts.append(Put(spot: spot, keyCount: frame.key.count, location: location(frame, name)))
        if puts.count == Self.largestPutCount || putKeys.count > 1 << 16 { finish() }
    }

    /// Applies what waits.
    mutating func finish() {
        putKeys.withUnsafeBytes { keys in
            var start = 0
            for put in puts {
                let key = UnsafeRawBufferPointer(rebasing: keys[start..<start + put.keyCount])
                directory.set(key, at: put.spot, put.location)
                start += put.keyCount
            }
        }
        puts.removeAll(keepingCapacity: true)
        putKeys.removeAll(keepingCapacity: true)
    }

    private func location(_ frame: Frame, _ name: SegmentName) -> ValueLocation {
        let place = Place(lsn: frame.lsn, sequence: name.sequence, offsetBytes: frame.offsetBytes)
        return ValueLocation(place, payloadCount: frame.payload.count)
    }
}
