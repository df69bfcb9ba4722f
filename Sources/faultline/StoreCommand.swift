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

            A crash leaves a torn tail: writes that were never synced, whole ones behind torn ones. put, delete and \
            compact drop it and say so. Where a later record or the closing of the store shows that what is missing was \
            durable, they refuse; --discard-damaged-tail makes them go on without it, and keeps what they drop in a file.

            Exit codes: 0 done, 1 the key is absent or (verify) the store is damaged, 2 wrong usage, or storage or a store \
            that fails or is damaged, 3 (get, scan, report, export, verify, compact --into) done, but something may be \
            missing from the end of the log: standard error says what.
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

    /// The storage of the store. Throws if the directory holds no store: a mistyped path would look like an empty one.
    func storage() throws -> PosixStorage {
        let storage = try PosixStorage(directory: directory)
        guard try !LogCheck.shards(in: storage).isEmpty else {
            throw StoreUsageError(description: "no store lies in '\(directory)'; `faultline store put` begins one")
        }
        return storage
    }

    /// Runs `body`, and adds the directory to errors of the engine and of storage that do not name it.
    func naming<Result>(_ body: () throws -> Result) throws -> Result {
        do { return try body() } catch  where error is EngineError || error is StorageError {
            let text = "\(error)"
            throw StoreUsageError(description: text.contains("'\(directory)'") ? text : "\(directory): \(text)")
        }
    }
}

/// A usage error of a store command.
struct StoreUsageError: Error, CustomStringConvertible {
    var description: String
}
