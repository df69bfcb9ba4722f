/// Drives the target `sqlite`.
enum SQLiteDriver {
    static func run(_ arguments: inout Arguments) throws {
        let configuration = SQLiteStore.Configuration(
            journalMode: try arguments.take(
                "journal_mode", ["delete", "wal", "truncate", "persist", "memory", "off"]),
            synchronous: try arguments.take("synchronous", ["full", "extra", "normal", "off"]))
        try arguments.finish()
        switch arguments.role {
        case .workload:
            try Driver.workload { workload, directory, oracle in
                let store = try SQLiteStore(directory: directory, configuration, workload.timings)
                try store.makeTable()
                try workload.run(on: store, oracle: oracle)
            }
        case .recover:
            try Driver.recover(isPersistent: arguments.isPersistent) { directory, emit in
                let store = try SQLiteStore(directory: directory, configuration)
                try store.dump(emit)
                try store.close()
            }
        }
    }
}
