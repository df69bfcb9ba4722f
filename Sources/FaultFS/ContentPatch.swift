import Bytes
import CPlatform
import Glibc
import Model

/// Gives one file another size and content, touching only what differs.
struct ContentPatch {
    private static let chunkBytes: UInt64 = 1 << 20

    let file: Int32
    let path: ByteString
    let payloads: any PayloadStore
    /// Told of the bytes that are about to change; their size does not.
    var willChange: (Range<UInt64>) throws(MountError) -> Void = { _ throws(MountError) in }
    /// Told of each change that was made.
    var note: (Run) throws(MountError) -> Void = { _ throws(MountError) in }

    /// One change.
    enum Run {
        case data(offsetBytes: UInt64, [UInt8])
        case zeros(Range<UInt64>)
        case size(UInt64)
    }

    /// `before` is what the file holds now; nil when it is new and empty.
    func apply(from before: Model.Node?, to wanted: Model.Node) throws(MountError) {
        let oldSize = before?.sizeBytes ?? 0
        if wanted.sizeBytes < oldSize { try resize(wanted.sizeBytes) }
        let common = min(oldSize, wanted.sizeBytes)
        let held = (before?.content.slice(0..<common) ?? [])[...]
        var position: UInt64 = 0
        for extent in wanted.content.slice(0..<wanted.sizeBytes) {
            try clear(position..<extent.offsetBytes, held)
            try put(extent, before?.content, common)
            position = extent.endBytes
        }
        try clear(position..<wanted.sizeBytes, held)
        if wanted.sizeBytes > oldSize { try resize(wanted.sizeBytes) }
    }

    /// Writes what an extent says, except where the file holds the same bytes already.
    private func put(_ extent: ExtentMap.Extent, _ content: ExtentMap?, _ heldBytes: UInt64) throws(MountError) {
        var position = extent.offsetBytes
        let end = min(extent.endBytes, heldBytes)
        if let content, position < end {
            for held in content.slice(position..<end) where held.isSameData(as: extent) {
                try write(extent, position..<held.offsetBytes)
                position = held.endBytes
            }
        }
        try write(extent, position..<extent.endBytes)
    }

    private func write(_ extent: ExtentMap.Extent, _ range: Range<UInt64>) throws(MountError) {
        var position = range.lowerBound
        while position < range.upperBound {
            let count = min(Self.chunkBytes, range.upperBound - position)
            let bytes: [UInt8]
            do {
                bytes = try payloads.bytes(of: extent.data.slice(position - extent.offsetBytes, count: count))
            } catch {
                throw .trace("the data of \(path): \(error)")
            }
            try write(bytes, at: position)
            position += count
        }
    }

    /// Makes what the file holds within `range` read as zeros.
    private func clear(_ range: Range<UInt64>, _ held: ArraySlice<ExtentMap.Extent>) throws(MountError) {
        guard !range.isEmpty else { return }
        for extent in held where extent.offsetBytes < range.upperBound && extent.endBytes > range.lowerBound {
            let common = extent.offsetBytes..<extent.endBytes
            try zero(common.clamped(to: range))
        }
    }

    private func zero(_ range: Range<UInt64>) throws(MountError) {
        try willChange(range)
        // FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE
        let punched = faultline_allocate(file, 0x03, off_t(range.lowerBound), off_t(range.count))
        if punched == 0 { return try note(.zeros(range)) }
        var position = range.lowerBound
        while position < range.upperBound {
            let count = min(Self.chunkBytes, range.upperBound - position)
            try write([UInt8](repeating: 0, count: Int(count)), at: position)
            position += count
        }
    }

    private func write(_ bytes: [UInt8], at offset: UInt64) throws(MountError) {
        try willChange(offset..<offset + UInt64(bytes.count))
        var done = 0
        while done < bytes.count {
            let written = bytes.withUnsafeBytes {
                faultline_pwrite(file, $0.baseAddress! + done, $0.count - done, off_t(offset) + off_t(done))
            }
            guard written > 0 else { throw .system(call: "pwrite", path: path, errno: Int32(-written)) }
            done += written
        }
        try note(.data(offsetBytes: offset, bytes))
    }

    private func resize(_ sizeBytes: UInt64) throws(MountError) {
        let result = faultline_ftruncate(file, off_t(sizeBytes))
        guard result == 0 else { throw .system(call: "ftruncate", path: path, errno: -result) }
        try note(.size(sizeBytes))
    }
}

extension ExtentMap.Extent {
    /// Whether both give every byte of the file that they share the same byte of the same payload.
    fileprivate func isSameData(as other: ExtentMap.Extent) -> Bool {
        data.offsetBytes &- offsetBytes == other.data.offsetBytes &- other.offsetBytes
    }
}
