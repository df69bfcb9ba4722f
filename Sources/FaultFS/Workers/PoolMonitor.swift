/// What the monitor of a `minimal` pool decides from poll to poll.
package struct PoolMonitor: Sendable {
    enum Decision: Hashable {
        case nothing
        case addWorker
        /// One worker is too many, if there is more than one.
        case parkWorker
        /// There are no requests: poll no more until one starts.
        case sleep
    }

    /// How many polls in a row must find a backlog before a worker is added, or none before one is parked.
    private let pollsBeforeAdding: Int
    private let pollsBeforeParking: Int

    private var lastFinished = 0
    private var backlogPolls = 0
    private var idlePolls = 0

    package init(pollsBeforeAdding: Int = 4, pollsBeforeParking: Int = 64) {
        self.pollsBeforeAdding = pollsBeforeAdding
        self.pollsBeforeParking = pollsBeforeParking
    }

    /// - Parameters:
    ///   - busy: the number of requests that are being served.
    ///   - active: the number of workers that are not parked.
    ///   - finished: the number of requests that were answered since the start.
    ///   - hasBacklog: whether requests are queued; asked only if all workers are busy.
    mutating func decide(busy: Int, active: Int, finished: Int, hasBacklog: () -> Bool) -> Decision {
        let areAllBusy = busy >= active
        defer { lastFinished = finished }
        guard finished != lastFinished else {
            // All workers have been at the same requests since the last poll: one may wait for a request that is queued.
            return areAllBusy ? .addWorker : busy == 0 ? .sleep : .nothing
        }
        guard areAllBusy, hasBacklog() else {
            (backlogPolls, idlePolls) = (0, idlePolls + 1)
            guard idlePolls == pollsBeforeParking else { return .nothing }
            idlePolls = 0
            return .parkWorker
        }
        (backlogPolls, idlePolls) = (backlogPolls + 1, 0)
        guard backlogPolls == pollsBeforeAdding else { return .nothing }
        backlogPolls = 0
        return .addWorker
    }
}
