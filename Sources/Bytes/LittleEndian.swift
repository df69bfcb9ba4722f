/// Fixed-width integers in little-endian order, unaligned, at a byte offset.
///
/// The caller must check that the integer is within the buffer; debug builds check, too.
extension UnsafeRawBufferPointer {
    @inlinable
    package func littleEndian<Integer: FixedWidthInteger & BitwiseCopyable>(
        _: Integer.Type = Integer.self, at offset: Int
    ) -> Integer {
        Integer(littleEndian: loadUnaligned(fromByteOffset: offset, as: Integer.self))
    }
}

extension UnsafeMutableRawBufferPointer {
    @inlinable
    package func storeLittleEndian(_ value: some FixedWidthInteger & BitwiseCopyable, at offset: Int) {
        storeBytes(of: value.littleEndian, toByteOffset: offset, as: type(of: value))
    }
}

extension [UInt8] {
    /// Appends the bytes of `value`, least significant first.
    @inlinable
    package mutating func appendLittleEndian(_ value: some FixedWidthInteger & BitwiseCopyable) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    /// The integer at `offset`; nil if the array is too short.
    @inlinable
    package func littleEndian<Integer: FixedWidthInteger & BitwiseCopyable>(
        _: Integer.Type = Integer.self, at offset: Int
    ) -> Integer? {
        guard offset >= 0, offset <= count - MemoryLayout<Integer>.size else { return nil }
        return withUnsafeBytes { $0.littleEndian(at: offset) }
    }
}
