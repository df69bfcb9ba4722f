import Engine
import Events

/// The manifests of the built-in targets. `faultline-target` is the program beside `faultline`.
enum BuiltInManifests {
    static let all: [(name: String, text: String)] = [("engine", engine), ("events", events), ("sqlite", sqlite)]

    private static let engine = """
        name: engine
        description: the built-in key-value store on its write-ahead log
        source: "KeyValueStore: after a crash, a prefix of the writes that includes every durable one"
        contract: ordered
        detectsCorruption: true
        workload:
          [faultline-target, engine, workload, "--planted={planted}", "--compact_every={compact_every}", "--batch={batch}",
          "--segment_kib={segment_kib}", "--reopen={reopen}"]
        recover:
          [faultline-target, engine, recover, --persistent, "--planted={planted}", "--batch={batch}",
          "--segment_kib={segment_kib}"]
        persistent: true
        parameters:
          planted: [none, \(PlantedBug.ofStores.map(\.name).joined(separator: ", "))]
          compact_every: [40, 0]
          batch: [0, 1]
          segment_kib: [32, 4]
          reopen: [0, 1]
        """

    private static let events = """
        name: events
        description: the built-in event store, with checkpoints, truncation and every event appended twice
        source: "EventStore: append returns when the event is durable; a duplicate is not written"
        contract: ordered
        detectsCorruption: true
        workload:
          [faultline-target, events, workload, "--planted={planted}", "--checkpoint_every={checkpoint_every}",
          "--segment_kib={segment_kib}"]
        recover:
          [faultline-target, events, recover, --persistent, "--planted={planted}", "--segment_kib={segment_kib}"]
        persistent: true
        parameters:
          planted: [none, \(PlantedBug.ofEvents.map(\.name).joined(separator: ", "))]
          checkpoint_every: [20, 0]
          segment_kib: [16, 4]
        """

    /// "WAL mode does lose durability. A transaction committed in WAL mode with synchronous=NORMAL might roll back
    /// following a power loss or system crash."
    private static let sqlite = """
        name: sqlite
        description: SQLite through its C library, one transaction per operation
        source: https://sqlite.org/pragma.html#pragma_synchronous
        workload: [faultline-target, sqlite, workload, "--journal_mode={journal_mode}", "--synchronous={synchronous}"]
        recover:
          [faultline-target, sqlite, recover, --persistent, "--journal_mode={journal_mode}", "--synchronous={synchronous}"]
        persistent: true
        parameters:
          journal_mode: [delete, wal, truncate, persist, memory, off]
          synchronous: [full, extra, normal, off]
        contracts:
          - when: {journal_mode: wal, synchronous: normal}
            contract: prefix
        """
}
