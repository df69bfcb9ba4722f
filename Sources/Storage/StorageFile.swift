import Bytes

/// An open file of a `Storage`. See there for durability and threads. It is closed with its last reference.
public protocol StorageFile: AnyObject, Sendable {
    /// Reads into `buffer` from `offsetBytes` on and returns how many bytes were read: fewer than the buffer holds only
    /// where the file ends. Corresponds to `pread`, without its short reads.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offsetBytes: UInt64) throws(StorageError) -> Int

    /// Writes all of `bytes` at `offsetBytes`; a gap before it reads as zeros. Corresponds to `pwrite`, without its short
    /// writes. If it throws, any part of the bytes may have been written.
    func write(_ bytes: UnsafeRawBufferPointer, at offsetBytes: UInt64) throws(StorageError)

    /// Cuts the file to `sizeBytes`, or extends it with zeros.
    func truncate(to sizeBytes: UInt64) throws(StorageError)

    /// Reserves space for a range and extends the file over it. Bytes that were never written read as zeros, the others
    /// stay. Where the storage cannot reserve space, the file is still extended.
    func preallocate(at offsetBytes: UInt64, countBytes: UInt64) throws(StorageError)

    /// Makes the data and the length of the file durable: everything whose call returned before this one began.
    /// Corresponds to `fdatasync`.
    func sync() throws(StorageError)

    /// The length of the file in bytes.
    func length() throws(StorageError) -> UInt64

    /// Whether a write into space that was only reserved costs no more than one over bytes that were written: then nobody
    /// gains from writing zeros ahead. False unless a storage says otherwise.
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

    /// Reads at most `countBytes`, fewer only where the file ends. The memory is bounded by what the file holds.
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

    /// The whole content, as long as it was when the call began.
    public func contents() throws(StorageError) -> [UInt8] {
        try read(countBytes: Int(clamping: try length()), at: 0)
    }
}
