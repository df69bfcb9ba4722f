/// Appends little-endian integers and runs of bytes to an array that is kept from one use to the next.
public struct ByteWriter: Sendable {
    public private(set) var bytes: [UInt8] = []

    public init(reserving capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    public var count: Int { bytes.count }

    @inlinable
    public mutating func append<Value: FixedWidthInteger>(_ value: Value) {
        withUnsafeBytes(of: value.littleEndian) { append($0) }
    }

    public mutating func append(_ run: UnsafeRawBufferPointer) { bytes.append(contentsOf: run) }

    /// Replaces the integer at `offset`, which must have been written.
    public mutating func replace<Value: FixedWidthInteger>(at offset: Int, with value: Value) {
        precondition(
            offset >= 0 && offset + MemoryLayout<Value>.size <= bytes.count, "only what was written is replaced")
        bytes.withUnsafeMutableBytes { $0.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Value.self) }
    }

    /// Forgets the bytes and keeps the room.
    public mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }
}
