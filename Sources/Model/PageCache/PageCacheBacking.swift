/// The file beneath a `PageCache`, and a place for bytes that only the cache has. The cache does no I/O of its own.
package protocol PageCacheBacking {
    associatedtype Failure: Error

    /// The size of the file in bytes.
    func sizeBytes() throws(Failure) -> UInt64

    /// The bytes of a range; fewer only where the file ends.
    func read(_ range: Range<UInt64>) throws(Failure) -> [UInt8]

    /// Writes to the file; returns how many bytes it took.
    func write(_ bytes: UnsafeRawBufferPointer, at offsetBytes: UInt64) throws(Failure) -> Int

    /// Writes all of `bytes` to the file, or throws.
    func writeAll(_ bytes: [UInt8], at offsetBytes: UInt64) throws(Failure)

    /// Puts back what the disk holds of bytes that a failed sync lost, and that programs go on seeing.
    func putBack(_ bytes: [UInt8], at offsetBytes: UInt64) throws(Failure)

    /// Cuts the file, or extends it with zeros.
    func resize(to sizeBytes: UInt64) throws(Failure)

    /// Keeps a copy of `bytes`; the payload names it from then on.
    func keep(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> Payload

    /// The bytes that `keep` was given.
    func kept(_ payload: Payload) throws(Failure) -> [UInt8]
}

extension PageCacheBacking {
    package func putBack(_ bytes: [UInt8], at offsetBytes: UInt64) throws(Failure) {
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
