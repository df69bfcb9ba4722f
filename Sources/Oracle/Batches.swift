/// Gives each atomic batch of an oracle a unique id (`txn` numbers may be reused), and tracks the unanswered ones.
struct Batches: Sendable {
    /// An operation of a batch: the numbers of its key and of itself.
    struct Member: Sendable {
        var number: Int
        var seq: UInt64
    }

    private struct Open: Sendable {
        var serial: Int
        var members: [Member]
        var unanswered: Int
    }

    private var open: [UInt64: Open] = [:]
    private var last = 0
    private var plainTxn: UInt64?

    /// The operation `seq` begins in `txn`. Returns the unique id of that batch.
    mutating func begin(_ txn: UInt64, _ number: Int, _ seq: UInt64) -> Int {
        if open[txn] == nil {
            last += 1
            open[txn] = Open(serial: last, members: [], unanswered: 0)
        }
        open[txn]!.members.append(Member(number: number, seq: seq))
        open[txn]!.unanswered += 1
        return open[txn]!.serial
    }

    /// An operation of `txn` is answered. Returns all its operations in begin order if this is the first answer, else
    /// none.
    mutating func answer(_ txn: UInt64) -> [Member] {
        guard var batch = open[txn] else { return [] }
        let members = batch.members
        batch.members = []
        batch.unanswered -= 1
        open[txn] = batch.unanswered == 0 ? nil : batch
        return members
    }

    /// The batch id of a plain acknowledgement: consecutive ones with the same number are one batch. 0 for none.
    mutating func plain(_ txn: UInt64?) -> Int {
        if let txn, txn != plainTxn { last += 1 }
        plainTxn = txn
        return txn == nil ? 0 : last
    }

    mutating func restart() {
        open.removeAll()
        plainTxn = nil
    }
}
