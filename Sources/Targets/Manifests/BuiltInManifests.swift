import Engine

/// The manifests of the targets that come with Faultline. `faultline-target` stands for the program of that name beside
/// faultline.
enum BuiltInManifests {
    static let all: [(name: String, text: String)] = [("engine", engine), ("sqlite", sqlite)]

    private static let engine = """
        name: engine
        description: the built-in key-value store on its write-ahead log
        source: "KeyValueStore: after a crash, a prefix of the writes that includes every durable one"
        contract: ordered
        workload: [faultline-target, engine, workload, "--planted={planted}", "--compact_every={compact_every}"]
        recover: [faultline-target, engine, recover, --persistent, "--planted={planted}"]
        persistent: true
        parameters:
          planted: [none, \(PlantedBug.allCases.map(\.name).joined(separator: ", "))]
          compact_every: [40, 0]
        """

    /// "WAL mode does lose durability. A transaction committed in WAL mode with synchronous=NORMAL might roll back
    /// following a power loss or system crash."
    private static let sqlite = """
        name: sqlite
        description: SQLite through its C library, one transaction an operation
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
