/// Puts of one part of a directory that are to be applied together, in their order: while one is applied, the processor
/// brings near where the next ones belong.
struct WaitingPuts {
    struct Put {
        var hash: UInt32
        var keyCount: Int
        var location: ValueLocation
    }

    private(set) var puts: [Put] = []
    /// Their keys, side by side.
    private(set) var keys: [UInt8] = []

    /// Whether they are as many as are worth waiting for.
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
