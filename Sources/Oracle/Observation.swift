import Bytes

/// The content of a recovered store: every live key with its payload, sorted by key.
///
/// Because it is sorted, equal contents are equal values and judgements are deterministic, whatever order the store
/// printed. Copy-on-write: copies are cheap.
public struct Observation: Hashable, Sendable {
    public struct Entry: Hashable, Sendable {
        public var key: ByteString
        public var payload: [UInt8]

        public init(key: ByteString, payload: [UInt8]) {
            self.key = key
            self.payload = payload
        }

        public static func == (left: Entry, right: Entry) -> Bool {
            left.key == right.key && left.payload.isSame(as: right.payload)
        }
    }

    /// Sorted by key, bytewise, without duplicates.
    public private(set) var entries: [Entry]

    /// What the store's own checker said of it; nil if the target has none.
    public var ownCheck: OwnCheck?

    /// The answer of a store's own checker.
    public enum OwnCheck: Hashable, Sendable {
        case passed
        case complaint(String)
    }

    public init() { entries = [] }

    /// Throws if `entries` has a key twice.
    public init(_ entries: [Entry]) throws(DuplicateKey) {
        var sorted = entries
        if !Self.isSorted(sorted) { sorted.sort { $0.key < $1.key } }
        for index in sorted.indices.dropFirst() where sorted[index].key == sorted[index - 1].key {
            throw DuplicateKey(key: sorted[index].key)
        }
        self.entries = sorted
    }

    public init(_ contents: [ByteString: [UInt8]]) {
        entries = contents.map { Entry(key: $0.key, payload: $0.value) }.sorted { $0.key < $1.key }
    }

    /// A key appears twice.
    public struct DuplicateKey: Error, Hashable, Sendable {
        public var key: ByteString
    }

    public var count: Int { entries.count }

    /// The payload of `key`; setting nil removes the key.
    public subscript(key: ByteString) -> [UInt8]? {
        get {
            let index = insertionIndex(of: key)
            return index < entries.count && entries[index].key == key ? entries[index].payload : nil
        }
        set {
            let index = insertionIndex(of: key)
            let exists = index < entries.count && entries[index].key == key
            switch (newValue, exists) {
            case (let payload?, true): entries[index].payload = payload
            case (let payload?, false): entries.insert(Entry(key: key, payload: payload), at: index)
            case (nil, true): entries.remove(at: index)
            case (nil, false): break
            }
        }
    }

    /// A copy with these payloads; nil removes a key.
    func changing(_ changes: [ByteString: [UInt8]?]) -> Observation {
        var changed = Observation()
        changed.ownCheck = ownCheck
        var added: [Entry] = []
        changed.entries.reserveCapacity(entries.count + changes.count)
        for entry in entries {
            switch changes[entry.key] {
            case nil: changed.entries.append(entry)
            case let payload??: changed.entries.append(Entry(key: entry.key, payload: payload))
            case .some(nil): break
            }
        }
        for (key, payload) in changes {
            if let payload, self[key] == nil { added.append(Entry(key: key, payload: payload)) }
        }
        guard !added.isEmpty else { return changed }
        changed.entries += added
        changed.entries.sort { $0.key < $1.key }
        return changed
    }

    /// The observation as a dump, with its end line.
    public var encoded: [UInt8] {
        var text: [UInt8] = []
        for entry in entries { DumpLine.entry(key: entry.key, payload: entry.payload).append(to: &text) }
        if let ownCheck { DumpLine.check(ownCheck).append(to: &text) }
        DumpLine.end.append(to: &text)
        return text
    }

    private func insertionIndex(of key: ByteString) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].key < key { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private static func isSorted(_ entries: [Entry]) -> Bool {
        for index in entries.indices.dropFirst() where !(entries[index - 1].key < entries[index].key) { return false }
        return true
    }
}
