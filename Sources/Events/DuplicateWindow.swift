/// The events of the last while, by content: whether one has been here, and whether it is durable.
///
/// Entries leave in the order in which they came, once they are older than the window; a lookup judges each by its own age.
/// Not safe for several threads.
struct DuplicateWindow {
    private struct Entry {
        var arrival: UInt64
        /// 0 until it is durable.
        var lsn: UInt64
        /// Nil once it is durable.
        var batch: EventBatch?
    }

    enum Original {
        case durable
        /// In a batch that is not written yet, or failed.
        case pending(EventBatch)
    }

    private let lengthNanoseconds: UInt64
    private var entries: [ContentHash: Entry] = [:]
    private var order: [(hash: ContentHash, arrival: UInt64)] = []
    private var firstInOrder = 0

    init(lengthSeconds: Int) { lengthNanoseconds = UInt64(clamping: lengthSeconds) * 1_000_000_000 }

    var count: Int { entries.count }

    /// The original of an event that arrives now, if it is one of the window.
    func original(of hash: ContentHash, now: UInt64) -> Original? {
        guard let entry = entries[hash], contains(entry.arrival, now) else { return nil }
        return entry.batch.map(Original.pending) ?? .durable
    }

    /// Takes an event in that arrives now and waits in a batch.
    mutating func insert(_ hash: ContentHash, arrival: UInt64, in batch: EventBatch) {
        insert(hash, Entry(arrival: arrival, lsn: 0, batch: batch))
    }

    /// Takes an event in that recovery has found, if it is one of the window.
    mutating func insert(_ hash: ContentHash, arrival: UInt64, lsn: UInt64, now: UInt64) {
        if contains(arrival, now) { insert(hash, Entry(arrival: arrival, lsn: lsn, batch: nil)) }
    }

    private mutating func insert(_ hash: ContentHash, _ entry: Entry) {
        guard lengthNanoseconds > 0 else { return }
        entries[hash] = entry
        order.append((hash, entry.arrival))
    }

    /// Notes that an event of `batch` is durable.
    mutating func settle(_ hash: ContentHash, _ batch: EventBatch, lsn: UInt64) {
        guard let entry = entries[hash], entry.batch === batch else { return }
        entries[hash] = Entry(arrival: entry.arrival, lsn: lsn, batch: nil)
    }

    /// Forgets what is older than the window.
    mutating func evict(now: UInt64) {
        while firstInOrder < order.count, !contains(order[firstInOrder].arrival, now) {
            let (hash, arrival) = order[firstInOrder]
            if let entry = entries[hash], entry.arrival == arrival, entry.batch == nil { entries[hash] = nil }
            firstInOrder += 1
        }
        if firstInOrder > 1024, firstInOrder > order.count / 2 {
            order.removeFirst(firstInOrder)
            firstInOrder = 0
        }
    }

    /// The first record that a reopen needs to know the durable events of the window; nil when there is none.
    func firstLSN(now: UInt64) -> UInt64? {
        for (hash, arrival) in order[firstInOrder...] where contains(arrival, now) {
            if let entry = entries[hash], entry.arrival == arrival { return entry.lsn == 0 ? nil : entry.lsn }
        }
        return nil
    }

    private func contains(_ arrival: UInt64, _ now: UInt64) -> Bool {
        (now > arrival ? now - arrival : arrival - now) <= lengthNanoseconds && lengthNanoseconds > 0
    }
}
