import Bytes

/// An open file of a `Storage`; see there for durability and threads. Closed with its last reference.
public protocol StorageFile: AnyObject, Sendable {
    /// Reads into `buffer` at `offsetBytes` and returns the byte count, which is smaller than the buffer only at the
    /// end of the file. Like `pread`, without short reads.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offsetBytes: UInt64) throws(StorageError) -> Int

    /// Writes all of `bytes` at `offsetBytes`. A gap before it reads as zeros. Like `pwrite`, without short writes. If
    /// it throws, any part may have been written.
    func write(_ bytes: UnsafeRawBufferPointer, at offsetBytes: UInt64) throws(StorageError)

    /// Truncates the file to `sizeBytes`, or extends it with zeros.
    func truncate(to sizeBytes: UInt64) throws(StorageError)

    /// Reserves space for a range and extends the file to its end. New bytes read as zeros. A storage that cannot
    /// reserve space only extends the file.
    func preallocate(at offsetBytes: UInt64, countBytes: UInt64) throws(StorageError)

    /// Makes the data and length durable, for all calls that returned before this one began. Like `fdatasync`.
    func sync() throws(StorageError)

    /// The length of the file in bytes.
    func length() throws(StorageError) -> UInt64

    /// Whether a write into reserved space is as cheap as one over written bytes, so that writing zeros in advance
    /// gains nothing. False by default.
    var overwritesReservedSpace: Bool { get }
}

extension StorageFile {
    public var overwritesReservedSpace: Bool { false }

    /// Writes an array. See `write(_:at:)`.
    public func write(_ bytes: [UInt8], at offsetBytes: UInt64) throws(StorageError) {
        var failure: StorageError?
        bytes.withUnsafeBytes { buffer in
            do throws(StorageError) { try write(buffer, at: offsetBytes) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Reads `countBytes`, fewer only at the end of the file. Allocates no more than the file has.
    public func read(countBytes: Int, at offsetBytes: UInt64) throws(StorageError) -> [UInt8] {
        let end = try length()
        guard countBytes > 0, offsetBytes < end else { return [] }
        let available = Int(min(UInt64(countBytes), end - offsetBytes))
        var failure: StorageError?
        let bytes = [UInt8](unsafeUninitializedCapacity: available) { buffer, initialized in
            do throws(StorageError) {
                initialized = try read(into: UnsafeMutableRawBufferPointer(buffer), at: offsetBytes)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// The whole content, up to the length at the start of the call.
    public func contents() throws(StorageError) -> [UInt8] {
        try read(countBytes: Int(clamping: try length()), at: 0)
    }
}
