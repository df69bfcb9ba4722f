import Bytes
import CPlatform
import Glibc
import Model

/// Changes the size and content of one file, writing only the ranges that differ.
struct ContentPatch {
    private static let chunkBytes: UInt64 = 1 << 20

    let file: Int32
    let path: ByteString
    let payloads: any PayloadStore

    /// A planned change of the file.
    enum Change {
        case data(offsetBytes: UInt64, Payload)
        case zeros(Range<UInt64>)
        case size(UInt64)
    }

    /// A change that was made, with its bytes.
    enum AppliedChange {
        case data(offsetBytes: UInt64, [UInt8])
        case zeros(Range<UInt64>)
        case size(UInt64)
    }

    /// - Parameter before: the file's current content; nil when it is new and empty.
    func apply(from before: Model.Node?, to wanted: Model.Node) throws(MountError) {
        for change in Self.changes(from: before, to: wanted) { try apply(change) { _ throws(MountError) in } }
    }

    // MARK: - Planning

    static func changes(from before: Model.Node?, to wanted: Model.Node) -> [Change] {
        let oldSize = before?.sizeBytes ?? 0
        var changes: [Change] = wanted.sizeBytes < oldSize ? [.size(wanted.sizeBytes)] : []
        let common = min(oldSize, wanted.sizeBytes)
        let content = before?.content.slice(0..<common) ?? []
        var position: UInt64 = 0
        for extent in wanted.content.slice(0..<wanted.sizeBytes) {
            changes += zeroing(position..<extent.offsetBytes, content)
            changes += writing(extent, before?.content, common)
            position = extent.endBytes
        }
        changes += zeroing(position..<wanted.sizeBytes, content)
        if wanted.sizeBytes > oldSize { changes.append(.size(wanted.sizeBytes)) }
        return changes
    }

    /// The writes for an extent, without the ranges that already hold the same bytes.
    private static func writing(
        _ extent: ExtentMap.Extent, _ content: ExtentMap?, _ presentBytes: UInt64
    ) -> [Change] {
        var changes: [Change] = []
        func write(_ range: Range<UInt64>) {
            guard !range.isEmpty else { return }
            let data = extent.data.slice(range.lowerBound - extent.offsetBytes, count: UInt64(range.count))
            changes.append(.data(offsetBytes: range.lowerBound, data))
        }
        var position = extent.offsetBytes
        let end = min(extent.endBytes, presentBytes)
        if let content, position < end {
            for present in content.slice(position..<end) where present.isSameData(as: extent) {
                write(position..<present.offsetBytes)
                position = present.endBytes
            }
        }
        write(position..<extent.endBytes)
        return changes
    }

    /// The holes that make `range` read as zeros.
    private static func zeroing(_ range: Range<UInt64>, _ content: [ExtentMap.Extent]) -> [Change] {
        guard !range.isEmpty else { return [] }
        return content.compactMap { extent in
            let common = (extent.offsetBytes..<extent.endBytes).clamped(to: range)
            return common.isEmpty ? nil : .zeros(common)
        }
    }

    // MARK: - Applying

    /// Makes one change, in pieces; calls `note` after each piece.
    func apply(_ change: Change, _ note: (AppliedChange) throws(MountError) -> Void) throws(MountError) {
        switch change {
        case .data(let offset, let data): try write(data, at: offset, note)
        case .zeros(let range): try zero(range, note)
        case .size(let size):
            let result = faultline_ftruncate(file, off_t(size))
            guard result == 0 else { throw .system(call: "ftruncate", path: path, errno: -result) }
            try note(.size(size))
        }
    }

    private func write(
        _ data: Payload, at offset: UInt64, _ note: (AppliedChange) throws(MountError) -> Void
    ) throws(MountError) {
        var position: UInt64 = 0
        while position < data.countBytes {
            let count = min(Self.chunkBytes, data.countBytes - position)
            let bytes: [UInt8]
            do {
                bytes = try payloads.bytes(of: data.slice(position, count: count))
            } catch {
                throw .trace("the data of \(path): \(error)")
            }
            try write(bytes, at: offset + position, note)
            position += count
        }
    }

    private func zero(_ range: Range<UInt64>, _ note: (AppliedChange) throws(MountError) -> Void) throws(MountError) {
        // FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE
        let punched = faultline_allocate(file, 0x03, off_t(range.lowerBound), off_t(range.count))
        if punched == 0 { return try note(.zeros(range)) }
        var position = range.lowerBound
        while position < range.upperBound {
            let count = min(Self.chunkBytes, range.upperBound - position)
            try write([UInt8](repeating: 0, count: Int(count)), at: position, note)
            position += count
        }
    }

    private func write(
        _ bytes: [UInt8], at offset: UInt64, _ note: (AppliedChange) throws(MountError) -> Void
    ) throws(MountError) {
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
}

extension ContentPatch.Change {
    /// The bytes that change; nil when only the size does.
    var range: Range<UInt64>? {
        switch self {
        case .data(let offset, let data): offset..<offset + data.countBytes
        case .zeros(let range): range
        case .size: nil
        }
    }
}

extension ExtentMap.Extent {
    /// Whether both map each file offset to the same payload offset.
    fileprivate func isSameData(as other: ExtentMap.Extent) -> Bool {
        data.offsetBytes &- offsetBytes == other.data.offsetBytes &- other.offsetBytes
    }
}
