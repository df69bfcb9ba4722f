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
            scenario: power-cut
            expect: violation
            reason: "known: the unlink of the journal is not durable"
            loss: removal of the name a.db-journal
          - target: sqlite
            set: {journal_mode: delete, synchronous: full}
            scenario: explore
            budget: 8
            partial: true
            expect: violation
            reason: "known: the unlink of the journal is not durable"
            loss: removal of the name a.db-journal
          - target: sqlite
            set: {journal_mode: delete, synchronous: extra}
            scenario: [smoke, kill, power-cut]
          - target: sqlite
            set: {journal_mode: wal, synchronous: full}
            scenario: [smoke, kill, power-cut]
          - target: engine
            scenario: [smoke, kill, power-cut]
          # A first result in a minute: what the budget leaves out is said.
          - target: sqlite
            set: {journal_mode: delete, synchronous: extra}
            scenario: explore
            budget: 8
            partial: true
          - target: sqlite
            set: {journal_mode: wal, synchronous: full}
            scenario: explore
            budget: 8
            partial: true
          - target: engine
            scenario: explore
            budget: 8
            partial: true
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
          # Each bug that a power cut or a fault can show, planted on purpose, must be found: that is how you know that Faultline was
          # looking. Those that take two threads at one moment are left to the engine's own tests.
          - target: engine
            set: {planted: [ack-before-sync, never-sync, compaction-drops-newest, compaction-unsynced]}
            scenario: power-cut
            ops: 45
            cycles: 0
            expect: violation
            reason: planted
            check: durable
          - target: engine
            set: {planted: [delete-unlogged, delete-unsynced]}
            scenario: power-cut
            ops: 45
            cycles: 0
            expect: violation
            reason: planted
            check: no-resurrection
          - target: engine
            set: {planted: [checksum-unchecked, segment-recycled, last-record-dropped]}
            scenario: power-cut
            ops: 45
            cycles: 0
            expect: violation
            reason: planted
            check: opens
          - target: engine
            set: {planted: [rotation-unsynced, truncation-newest-first], segment_kib: 4}
            scenario: power-cut
            ops: 45
            cycles: 0
            expect: violation
            reason: planted
            check: opens
          - target: engine
            set: {planted: [batch-split, batch-uncommitted], batch: 1}
            scenario: power-cut
            ops: 45
            cycles: 0
            expect: violation
            reason: planted
            check: no-extras
          - target: engine
            set: {planted: directory-unsynced}
            scenario: power-cut
            profile: posix-min
            ops: 45
            cycles: 0
            expect: violation
            reason: planted
            check: durable
          - target: engine
            set: {planted: [tail-rewritten]}
            scenario: power-cut
            ops: 45
            cut_at: recovery
            expect: violation
            reason: "planted: recovery cannot be cut"
            check: opens
          - target: engine
            set: {planted: number-reused}
            scenario: power-cut
            ops: 45
            cut_at: work
            expect: violation
            reason: "planted: what is written after recovery is lost"
            check: opens
          - target: events
            set: {planted: [duplicate-hash-weak, checkpoint-ahead]}
            scenario: power-cut
            ops: 45
            cycles: 0
            expect: violation
            reason: planted
            check: durable
          - target: events
            set: {planted: [window-forgotten, window-truncated, truncation-too-far, replay-inclusive]}
            scenario: power-cut
            ops: 45
            cycles: 0
            expect: violation
            reason: planted
            check: no-extras
          - target: events
            set: {planted: checkpoint-unsynced}
            scenario: power-cut
            ops: 45
            cycles: 0
            expect: violation
            reason: planted
            check: opens
          - target: engine
            set: {planted: poison-ignored}
            scenario: io-error
            ops: 50
            rule: "fdatasync nth=20 -> EIO lose btrfs"
            expect: violation
            reason: "planted: takes what a failed sync lost for durable"
            check: durable
          - target: engine
            set: {planted: tail-trusted}
            scenario: io-error
            ops: 50
            rule: "fdatasync nth=43 -> EIO lose"
            expect: violation
            reason: planted
            check: opens
          - target: engine
            set: {planted: read-unchecked}
            scenario: io-error
            ops: 50
            rule: "read path=0000-0000000002.log nth=3 -> misdirect"
            expect: violation
            reason: planted
            check: payload-integrity
          # This one takes a write that came up short, a store that was opened again, and a power cut.
          - target: engine
            set: {planted: tail-uncut, batch: 1, reopen: 1}
            scenario: explore
            ops: 5
            value_len: 559
            rule: ["write path=*.log nth=4 -> short 700", "write path=*.log nth=6 -> EIO"]
            expect: violation
            reason: planted
            check: no-extras

        """
}
