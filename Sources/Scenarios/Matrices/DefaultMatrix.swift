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
          # A bug planted on purpose must be found: that is how you know that Faultline was looking.
          - target: engine
            set: {planted: ack-before-sync}
            scenario: power-cut
            expect: violation
            reason: "planted: acknowledges before the sync"
            loss: "write #-#.log"

        """
}
