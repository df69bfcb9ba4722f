import ArgumentParser
import Bytes
import Engine
import Storage

struct StoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store",
        abstract: "Uses, inspects and verifies a store of the built-in engine.",
        discussion: """
              faultline store put accounts alice 100          durable when it returns; begins the store if need be
              faultline store get accounts alice
              faultline store put accounts --format hex 00ff cafe
              faultline store scan accounts --json            a line for each key
              faultline store verify accounts                 reads everything, changes nothing
              faultline store compact accounts

            Keys and values are bytes: --format says how they are written on the command line and printed. get, scan, \
            report, export and verify take no lock and change nothing, so they work beside a running writer; the others \
            wait for nobody and are refused while another process has the store open.

            Exit codes: 0 done, 1 the key is absent or the store is damaged, 2 wrong usage or storage that fails, \
            3 (verify) it cannot be told whether records are lost.
            """,
        subcommands: [
            StorePutCommand.self, StoreGetCommand.self, StoreDeleteCommand.self, StoreScanCommand.self,
            StoreReportCommand.self, StoreCompactCommand.self, StoreExportCommand.self, StoreVerifyCommand.self,
        ])
}

/// The directory of a store.
struct StoreDirectory: ParsableArguments {
    @Argument(help: "The directory of the store.")
    var directory: ByteString

    /// To write; `creating` begins a store where there is none.
    func open(creating: Bool = false) throws -> KeyValueStore {
        if creating { return try KeyValueStore.open(storage: PosixStorage(creatingDirectory: directory)) }
        let storage = try storage()
        return try KeyValueStore.open(storage: storage)
    }

    /// To read, beside whoever writes.
    func snapshot(_ policy: DamagePolicy = .refuse) throws -> KeyValueSnapshot {
        try KeyValueSnapshot.open(storage: storage(), damagePolicy: policy)
    }

    /// Refuses a directory that holds no store: a mistyped path would read as an empty one.
    func storage() throws -> PosixStorage {
        let storage = try PosixStorage(directory: directory)
        guard try !LogCheck.shards(in: storage).isEmpty else {
            throw StoreUsageError(description: "no store lies in '\(directory)'; `faultline store put` begins one")
        }
        return storage
    }

    /// Runs `body` with a store that is closed in any case; what `body` throws comes first.
    func withStore<Result>(creating: Bool = false, _ body: (KeyValueStore) throws -> Result) throws -> Result {
        let store = try open(creating: creating)
        let result: Result
        do { result = try body(store) } catch {
            try? store.close()
            throw error
        }
        try store.close()
        return result
    }
}

/// What is wrong with what the user asked for.
struct StoreUsageError: Error, CustomStringConvertible {
    var description: String
}
