import ArgumentParser
import Bytes
import Engine
import Glibc
import Machine
import Report
import Scenarios
import Storage

struct StorePutCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "put", abstract: "Gives a key a value. It is durable when the command returns.")

    @OptionGroup var writer: StoreWriter
    @Argument(help: "The key.")
    var key: String
    @Argument(help: "The value; left out, standard input is the value, byte for byte.")
    var value: String?
    @OptionGroup var format: StoreFormatOption

    func run() throws {
        let key = try format.key(key)
        let value = try value.map { try format.format.bytes(of: $0) } ?? standardInput()
        // The store also rejects them, but only after it was created.
        guard key.count <= LogLimits.keySizeBytes else { throw EngineError.keyTooLarge(sizeBytes: key.count) }
        guard value.count <= LogLimits.payloadSizeBytes else {
            throw EngineError.payloadTooLarge(sizeBytes: value.count)
        }
        try NewStore.with(writer.store.directory) {
            try writer.withStore(creating: true) { store in try store.sync(through: store.put(key, value)) }
        }
    }

    private func standardInput() throws -> [UInt8] {
        if isatty(STDIN_FILENO) == 1 {
            StandardError.say("reading the value from the terminal; Ctrl-D at the beginning of a line ends it")
        }
        var bytes: [UInt8] = []
        try StandardInput.forEachChunk { part in
            bytes += part
            // Not more than that in memory, either.
            guard bytes.count <= LogLimits.payloadSizeBytes else {
                throw EngineError.payloadTooLarge(sizeBytes: bytes.count)
            }
        }
        return bytes
    }
}

struct StoreDeleteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Removes a key. Durable when the command returns; an absent key is deleted all the same.")

    @OptionGroup var writer: StoreWriter
    @Argument(help: "The key.")
    var key: String
    @OptionGroup var format: StoreFormatOption

    func run() throws {
        let key = try format.key(key)
        try writer.withStore { store in try store.sync(through: store.delete(key)) }
    }
}

struct StoreCompactCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compact",
        abstract: "Gives back the space of values that were replaced or deleted.",
        discussion: """
            In place by default: safe at every moment, and it needs the space of the live data once more while it runs. \
            With --into the live data goes into another, empty directory, in the order of the keys, and the store stays \
            byte for byte as it is.
            """)

    @OptionGroup var writer: StoreWriter
    @Option(help: "Write into this directory, which is empty or does not exist.")
    var into: ByteString?
    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard into == nil || !writer.discardDamagedTail else {
            throw ValidationError("--discard-damaged-tail changes the store, and --into leaves it as it is")
        }
    }

    func run() throws {
        guard let into else { return try show(writer.withStore { try $0.compact() }) }
        // The snapshot changes nothing here; opening the store to write would.
        try writer.store.withSnapshot { try show(compact($0, into: into)) }
    }

    private func compact(_ snapshot: KeyValueSnapshot, into: ByteString) throws -> CompactionReport {
        let directories = try into.parentDirectory.map { try NewDirectories(making: $0) }
        do {
            return try OutputDirectory.make(into, existing: .emptyDirectory, isDurable: true) {
                try snapshot.compact(into: PosixStorage(directory: $0))
            }
        } catch {
            directories?.removeEmpty()
            throw error
        }
    }

    private func show(_ report: CompactionReport) throws {
        guard !json else { return try StandardOutput.show(CompactionFields(report), .object) }
        StandardOutput.show(
            "\(report.liveKeys.counted("live key")); \(report.recordsWritten.counted("record")) of "
                + "\(report.bytesWritten.counted("byte")) written; \(report.segmentsRemoved.counted("segment")) removed"
        )
    }

    private struct CompactionFields: Encodable {
        var liveKeys, recordsWritten, bytesWritten, segmentsRemoved: Int

        init(_ report: CompactionReport) {
            (liveKeys, recordsWritten) = (report.liveKeys, report.recordsWritten)
            (bytesWritten, segmentsRemoved) = (report.bytesWritten, report.segmentsRemoved)
        }
    }
}
