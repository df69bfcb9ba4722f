/// Reads little-endian integers and runs of bytes, in order, from bytes that may be damaged: what is not there is
/// `nil`, never a trap. The buffer must outlive the reader.
public struct ByteReader {
    private let buffer: UnsafeRawBufferPointer
    /// How many bytes were read.
    public private(set) var offsetBytes = 0

    public init(_ buffer: UnsafeRawBufferPointer) { self.buffer = buffer }

    /// How many bytes are left.
    public var remainingBytes: Int { buffer.count - offsetBytes }

    /// The next integer, little-endian; `nil` (and nothing is read) when too few bytes are left.
    @inlinable
    public mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) -> Value? {
        guard let run = run(MemoryLayout<Value>.size) else { return nil }
        return Value(littleEndian: run.loadUnaligned(as: Value.self))
    }

    /// The next `count` bytes; `nil` (and nothing is read) when fewer are left.
    public mutating func run(_ count: Int) -> UnsafeRawBufferPointer? {
        guard count >= 0, count <= remainingBytes else { return nil }
        defer { offsetBytes += count }
        return UnsafeRawBufferPointer(rebasing: buffer[offsetBytes..<offsetBytes + count])
    }
}
