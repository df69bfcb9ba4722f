import Bytes

/// Puts and deletes that take effect atomically: after a crash all of them are there, or none. For the same key the last one
/// wins.
public struct WriteBatch: Sendable {
    private(set) var parts: [BatchPart] = []

    public init() {}

    public var count: Int { parts.count }
    public var isEmpty: Bool { parts.isEmpty }

    public mutating func put(_ key: ByteString, _ value: [UInt8]) {
        parts.append(BatchPart(type: .batchPut, key: key, payload: value))
    }

    public mutating func delete(_ key: ByteString) {
        parts.append(BatchPart(type: .batchDelete, key: key, payload: []))
    }
}
