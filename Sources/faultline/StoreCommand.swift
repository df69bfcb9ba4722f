import ArgumentParser
import Bytes
import Engine
import Scenarios
import Storage

struct StoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store",
        abstract: "Uses, inspects and verifies a store of the built-in engine.",
        discussion: """
              faultline store put accounts alice 100          durable when it returns; begins the store if need be
              faultline store put accounts photo < photo.jpg  a value from standard input, byte for byte
              faultline store get accounts alice
              faultline store put accounts --format hex 00ff cafe
              faultline store scan accounts --json            a line for each key
              faultline store verify accounts                 reads everything, changes nothing
              faultline store compact accounts

            Keys and values are bytes: --format says how they are written on the command line and printed. get, scan, \
            report, export and verify take no lock and change nothing, so they work beside a running writer; the others \
            wait for nobody and are refused while another process has the store open.

            Exit codes: 0 done, 1 the key is absent or (verify) the store is damaged, 2 wrong usage, or storage or a store \
            that fails, 3 (verify) it cannot be told whether records are lost.
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
        let storage = try creating ? PosixStorage(creatingDirectory: directory) : storage()
        let store = try KeyValueStore.open(storage: storage)
        say("dropped", store.recoveryReport)
        return store
    }

    /// To read, beside whoever writes.
    func snapshot(_ policy: DamagePolicy = .refuse) throws -> KeyValueSnapshot {
        let snapshot = try KeyValueSnapshot.open(storage: storage(), damagePolicy: policy)
        say("not shown", snapshot.recoveryReport)
        return snapshot
    }

    /// What is left out is said, or a damaged store would look like a small one.
    private func say(_ fate: String, _ report: RecoveryReport) {
        guard let tail = report.tornTail else { return }
        let (count, verb) = (report.bytesDiscarded, report.bytesDiscarded == 1 ? "is" : "are")
        StandardError.say("faultline: the log ends in \(tail); \(count.counted("byte")) behind that \(verb) \(fate)")
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
