/// The file below a `PageCache`, and storage for bytes that only the cache has. The cache does no I/O of its own.
package protocol PageCacheBacking {
    associatedtype Failure: Error

    /// The size of the file in bytes.
    func sizeBytes() throws(Failure) -> UInt64

    /// The bytes of a range; fewer only at the end of the file.
    func read(_ range: Range<UInt64>) throws(Failure) -> [UInt8]

    /// Writes to the file. Returns how many bytes were written.
    func write(_ bytes: UnsafeRawBufferPointer, at offsetBytes: UInt64) throws(Failure) -> Int

    /// Writes all of `bytes` to the file, or throws.
    func writeAll(_ bytes: [UInt8], at offsetBytes: UInt64) throws(Failure)

    /// Reverts the file to the disk's bytes after a failed sync. Programs still see the lost bytes.
    func revert(_ bytes: [UInt8], at offsetBytes: UInt64) throws(Failure)

    /// Truncates the file, or extends it with zeros.
    func resize(to sizeBytes: UInt64) throws(Failure)

    /// Keeps a copy of `bytes`. `kept` returns it for the payload.
    func keep(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> Payload

    /// The bytes that were passed to `keep`.
    func kept(_ payload: Payload) throws(Failure) -> [UInt8]
}

extension PageCacheBacking {
    package func revert(_ bytes: [UInt8], at offsetBytes: UInt64) throws(Failure) {
        try writeAll(bytes, at: offsetBytes)
    }

    func keep(_ bytes: [UInt8]) throws(Failure) -> Payload {
        var failure: Failure?
        let payload = bytes.withUnsafeBytes { bytes -> Payload? in
            do throws(Failure) { return try keep(bytes) } catch {
                failure = error
                return nil
            }
        }
        if let failure { throw failure }
        return payload!
    }
}
