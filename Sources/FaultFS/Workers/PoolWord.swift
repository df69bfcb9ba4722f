/// What the workers of a pool should do, as a word.
enum PoolOrder {
    static let work: UInt64 = 0
    /// One worker should park.
    static let park: UInt64 = 1
    /// All end. It is the last order.
    static let stop: UInt64 = 2
}

/// The shared words of a pool, one cache line each.
enum PoolWord {
    /// The number of started requests, from bit 1 on. Bit 0: the monitor sleeps until a request starts.
    static let started = 0
    static let finished = 8
    /// Workers that have not ended.
    static let running = 16
    /// Workers that are not parked.
    static let active = 24
    static let order = 32
    static let count = 40

    static let monitorSleeps: UInt64 = 1
    static let oneStarted: UInt64 = 2
    static func started(_ word: UInt64) -> UInt64 { word / oneStarted }
}

/// The shared words of a pool for people: what a scheduler's table shows.
package enum PoolWordText {
    /// The name of a word, or the meaning of its value; nil for words that are not a pool's.
    ///
    /// - Parameter words: the name with which the words were made.
    package static func describe(_ index: Int, of words: String, value: UInt64?) -> String? {
        guard words == "worker pool" else { return nil }
        switch index {
        case PoolWord.started:
            guard let value else { return "started requests" }
            let sleeps = value & PoolWord.monitorSleeps != 0
            return "\(PoolWord.started(value))" + (sleeps ? ", the monitor sleeps" : "")
        case PoolWord.finished: return value.map { "\($0)" } ?? "finished requests"
        case PoolWord.running: return value.map { "\($0)" } ?? "running workers"
        case PoolWord.active: return value.map { "\($0)" } ?? "active workers"
        case PoolWord.order:
            return value.map { $0 == PoolOrder.work ? "work" : $0 == PoolOrder.park ? "park" : "stop" } ?? "order"
        default: return nil
        }
    }
}
