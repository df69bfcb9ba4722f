/// Queued puts of one partition of a directory, which are applied together and in order: while one is applied, the slots of
/// the next ones are prefetched.
struct QueuedPuts {
    struct Put {
        var hash: UInt32
        var keyCount: Int
        var location: ValueLocation
    }

    private(set) var puts: [Put] = []
    /// The concatenated keys.
    private(set) var keys: [UInt8] = []

    /// Whether the queue is full.
    var isFull: Bool { puts.count >= 32 || keys.count > 1 << 16 }

    @inline(__always)
    mutating func add(_ key: UnsafeRawBufferPointer, hash: UInt32, _ location: ValueLocation) {
        keys.append(contentsOf: key)
        puts.append(Put(hash: hash, keyCount: key.count, location: location))
    }

    mutating func removeAll() {
        puts.removeAll(keepingCapacity: true)
        keys.removeAll(keepingCapacity: true)
    }
}
