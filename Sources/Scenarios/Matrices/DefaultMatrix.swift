/// The matrix that runs when no file is named: the text of harness/matrices/default.yaml, so that an installed program has
/// it too. A test holds the two together.
package enum DefaultMatrix {
    package static let text = """
        # What `faultline matrix` runs without a file. Lists multiply; docs/matrix.md explains each key.
        cells:
          # SQLite with a rollback journal: the transaction is over when the journal is unlinked, and nothing makes that durable.
          - target: sqlite
            set: {journal_mode: delete, synchronous: full}
            scenario: [smoke, kill]
          - target: sqlite
            set: {journal_mode: delete, synchronous: full}
            scenario: [power-cut, explore]
            budget: 8
            expect: violation
            reason: "known: the unlink of the journal is not durable"
            loss: removal of the name a.db-journal
          - target: sqlite
            set: {journal_mode: delete, synchronous: extra}
            scenario: [smoke, kill, power-cut, explore]
            budget: 8
          - target: sqlite
            set: {journal_mode: wal, synchronous: full}
            scenario: [smoke, kill, power-cut, explore]
            budget: 8
          - target: engine
            scenario: [smoke, kill, power-cut, explore]
            budget: 8
          - target: events
            scenario: [smoke, kill, power-cut]
          # Storage that says no, gives less than was asked, or loses what a failed sync covered: each family of faults in its turn.
          - target: [engine, events]
            scenario: io-error
            ops: 50
          - target: sqlite
            set: {journal_mode: [delete, wal], synchronous: full}
            scenario: io-error
            ops: 50
          # A bug planted on purpose must be found: that is how you know that Faultline was looking.
          - target: engine
            set: {planted: ack-before-sync}
            scenario: power-cut
            expect: violation
            reason: "planted: acknowledges before the sync"
            loss: "write #-#.log"
          - target: engine
            set: {planted: poison-ignored}
            scenario: io-error
            ops: 50
            rule: "fdatasync nth=20 -> EIO lose btrfs"
            expect: violation
            reason: "planted: takes what a failed sync lost for durable"

        """
}
