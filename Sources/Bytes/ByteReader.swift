/// Reads little-endian integers and byte ranges in order. Reading past the end returns nil and never traps, so the
/// bytes may be damaged. The buffer must outlive the reader.
public struct ByteReader {
    private let buffer: UnsafeRawBufferPointer
    /// The number of bytes read.
    public private(set) var offsetBytes = 0

    public init(_ buffer: UnsafeRawBufferPointer) { self.buffer = buffer }

    /// The number of remaining bytes.
    public var remainingBytes: Int { buffer.count - offsetBytes }

    /// Reads a little-endian integer; nil, without reading, if too few bytes are left.
    @inlinable
    public mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) -> Value? {
        guard let run = run(MemoryLayout<Value>.size) else { return nil }
        return Value(littleEndian: run.loadUnaligned(as: Value.self))
    }

    /// Reads `count` bytes; nil, without reading, if fewer are left.
    public mutating func run(_ count: Int) -> UnsafeRawBufferPointer? {
        guard count >= 0, count <= remainingBytes else { return nil }
        defer { offsetBytes += count }
        return UnsafeRawBufferPointer(rebasing: buffer[offsetBytes..<offsetBytes + count])
    }
}
