/// Appends little-endian integers and byte ranges to a reusable buffer.
public struct ByteWriter: Sendable {
    /// The first `count` bytes are written; the rest is capacity.
    @usableFromInline var storage: [UInt8]
    public private(set) var count = 0

    public init(reserving capacity: Int = 64) { storage = [UInt8](repeating: 0, count: max(capacity, 64)) }

    /// A copy of the written bytes.
    public var bytes: [UInt8] { Array(storage[..<count]) }

    /// Passes the written bytes without a copy. The pointer is valid only during `body`.
    @inlinable
    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        storage.withUnsafeBytes { body(.init(rebasing: $0[..<count])) }
    }

    @inlinable
    public mutating func append<Value: FixedWidthInteger>(_ value: Value) {
        let place = reserve(MemoryLayout<Value>.size)
        storage.withUnsafeMutableBytes { $0.storeBytes(of: value.littleEndian, toByteOffset: place, as: Value.self) }
    }

    public mutating func append(_ run: UnsafeRawBufferPointer) {
        guard let source = run.baseAddress else { return }
        let place = reserve(run.count)
        storage.withUnsafeMutableBytes { ($0.baseAddress! + place).copyMemory(from: source, byteCount: run.count) }
    }

    /// Replaces the integer at `offset`, which must have been written.
    @inlinable
    public mutating func replace<Value: FixedWidthInteger>(at offset: Int, with value: Value) {
        precondition(offset >= 0 && offset + MemoryLayout<Value>.size <= count, "only what was written is replaced")
        storage.withUnsafeMutableBytes { $0.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Value.self) }
    }

    /// Removes the first bytes; keeps the capacity.
    public mutating func removeFirst(_ gone: Int) {
        precondition(gone >= 0 && gone <= count, "only what was written is removed")
        let rest = count - gone
        if rest > 0 { storage.withUnsafeMutableBytes { $0.copyMemory(from: .init(rebasing: $0[gone..<count])) } }
        count = rest
    }

    /// Adds `extra` bytes, which the caller must fill. Returns their offset.
    @usableFromInline
    mutating func reserve(_ extra: Int) -> Int {
        let place = count
        count += extra
        if count > storage.count {
            let grown = max(count, storage.count * 2)
            storage.append(contentsOf: repeatElement(0, count: grown - storage.count))
        }
        return place
    }
}
