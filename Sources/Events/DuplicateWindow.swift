/// The events of the duplicate window, by content, and whether they are durable.
///
/// Entries are removed in arrival order once they are older than the window. A lookup checks the age of the entry itself. Not
/// thread safe.
struct DuplicateWindow {
    private struct Entry {
        var arrival: UInt64
        /// 0 until it is durable.
        var lsn: UInt64
        /// nil once it is durable.
        var batch: EventBatch?
    }

    enum Original {
        case durable
        /// The event is in a batch that is not written yet, or that failed.
        case pending(EventBatch)
    }

    private let lengthNanoseconds: UInt64
    private var entries: [ContentHash: Entry] = [:]
    private var order: [(hash: ContentHash, arrival: UInt64)] = []
    private var firstInOrder = 0

    init(lengthSeconds: Int) { lengthNanoseconds = UInt64(clamping: lengthSeconds) * 1_000_000_000 }

    var count: Int { entries.count }

    /// The original of an event that arrives now, if it is in the window.
    func original(of hash: ContentHash, now: UInt64) -> Original? {
        guard let entry = entries[hash], contains(entry.arrival, now) else { return nil }
        return entry.batch.map(Original.pending) ?? .durable
    }

    /// Adds an event that arrives now and is queued in a batch.
    mutating func insert(_ hash: ContentHash, arrival: UInt64, in batch: EventBatch) {
        insert(hash, Entry(arrival: arrival, lsn: 0, batch: batch))
    }

    /// Adds a recovered event, if it is in the window.
    mutating func insert(_ hash: ContentHash, arrival: UInt64, lsn: UInt64, now: UInt64) {
        if contains(arrival, now) { insert(hash, Entry(arrival: arrival, lsn: lsn, batch: nil)) }
    }

    private mutating func insert(_ hash: ContentHash, _ entry: Entry) {
        guard lengthNanoseconds > 0 else { return }
        entries[hash] = entry
        order.append((hash, entry.arrival))
    }

    /// Marks an event of `batch` as durable.
    mutating func markDurable(_ hash: ContentHash, _ batch: EventBatch, lsn: UInt64) {
        guard let entry = entries[hash], entry.batch === batch else { return }
        entries[hash] = Entry(arrival: entry.arrival, lsn: lsn, batch: nil)
    }

    /// Removes entries that are older than the window.
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

    /// The first record that a reopen needs for the durable events of the window; nil if there is none.
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
