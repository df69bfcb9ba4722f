import Model

/// The answer to "which sync is missing?" for one cause of failures.
package struct BarrierFix: Hashable, Codable, Sendable {
    /// Why no sync was found that removes the failures.
    package enum Obstacle: String, Hashable, Codable, Sendable {
        /// A state fails that has lost nothing: the store's code is wrong without any crash state's help.
        case nothingLost = "nothing-lost"
        /// A failing write is torn while it is in flight. Only a checksum, or a copy of the old bytes, helps.
        case tornWrite = "torn-write"
        /// The crash comes before the store can have synced: between changes that have to be made as one.
        case notAtomic = "not-atomic"
        /// The time ended.
        case noTime = "no-time"
    }

    /// The syncs that remove all failures of the cause when made together; empty if none were found.
    package var barriers: [BarrierInsertion]
    /// The number of syncs inserted into the run.
    package var insertedCount: Int
    /// The number of states judged with these syncs, counted once for each oracle position, and how many of them fail for
    /// other causes.
    package var decidedCount: Int
    package var failingCount: Int
    /// Whether every legal state of the changed run was checked; false if some epochs were only searched.
    package var isExhaustive: Bool
    package var profile: Profile
    /// Nil if syncs were found.
    package var obstacle: Obstacle?
    /// The number of sets of syncs that were tried.
    package var triedCount: Int

    package init(
        _ barriers: [BarrierInsertion] = [], insertedCount: Int = 0, decidedCount: Int = 0, failingCount: Int = 0,
        isExhaustive: Bool = false, profile: Profile, obstacle: Obstacle? = nil, triedCount: Int
    ) {
        self.barriers = barriers
        self.insertedCount = insertedCount
        self.decidedCount = decidedCount
        self.failingCount = failingCount
        self.isExhaustive = isExhaustive
        self.profile = profile
        self.obstacle = obstacle
        self.triedCount = triedCount
    }
}
