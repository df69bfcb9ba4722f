import ArgumentParser
import Bytes
import Engine
import Machine
import Report
import Scenarios
import Storage

struct StoreGetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Prints the value of a key; exits 1 when there is none, and 3 when its last value may be missing.",
        discussion: """
            As text the bytes are printed as they are, and nothing else; as hex or base64 on a line. On a terminal what it \
            would obey is escaped (ESC is shown as \\x1b), and a newline ends the value.
            """)

    @OptionGroup var store: StoreDirectory
    @Argument(help: "The key.")
    var key: String
    @OptionGroup var format: StoreFormatOption
    @Flag(help: "Print one JSON object, with the place of the value on disk.")
    var json = false

    func run() throws {
        let key = try format.key(key)
        try store.withSnapshot { try show(key, $0) }
    }

    private func show(_ key: ByteString, _ snapshot: KeyValueSnapshot) throws {
        guard let value = try snapshot.get(key), let place = snapshot.place(of: key) else {
            StandardError.say("error: there is no key '\(format.format.text(of: key.bytes))'")
            throw ExitStatus.violation
        }
        if json {
            try StandardOutput.show(StoreItem(key, value, place), .object)
        } else if format.format == .text, Terminal.output.isTerminal {
            // The prompt of a shell belongs on a line of its own.
            StandardOutput.write(String(printing: value) + (value.last == UInt8(ascii: "\n") ? "" : "\n"))
        } else if format.format == .text {
            let output = try OutputFile("-", .replace)
            try output.write(value)
            try output.commit()
        } else {
            StandardOutput.show("\(format.format.text(of: value))")
        }
    }
}

/// A key and its value in JSON, as an export has them.
struct StoreItem: Encodable {
    private enum CodingKeys: String, CodingKey {
        case key = "key_b64"
        case value = "value_b64"
        case segment, offset, lsn
    }

    private var key: String
    private var value: String
    private var segment: String?
    private var offset: UInt64?
    private var lsn: UInt64?

    init(_ key: ByteString, _ value: [UInt8], _ place: ValuePlace? = nil) {
        self.key = StoreFormat.base64.text(of: key.bytes)
        self.value = StoreFormat.base64.text(of: value)
        segment = place?.segment.description
        offset = place?.offsetBytes
        lsn = place?.lsn.rawValue
    }
}

struct StoreScanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scan", abstract: "Prints every key and its value, in the order of the keys, a tab between them.")

    @OptionGroup var store: StoreDirectory
    @Option(help: "Only keys that begin with this.")
    var prefix: String?
    @OptionGroup var format: StoreFormatOption
    @Flag(help: "Print a JSON object on each line.")
    var json = false

    func run() throws {
        let prefix = try prefix.map { try format.key($0) } ?? ""
        try store.withSnapshot { snapshot in
            for key in snapshot.keys where key.bytes.starts(with: prefix.bytes) {
                guard let value = try snapshot.get(key) else { continue }
                if json {
                    try StandardOutput.show(StoreItem(key, value, snapshot.place(of: key)), .line)
                } else {
                    StandardOutput.show("\(format.format.text(of: key.bytes))\t\(format.format.text(of: value))")
                }
            }
        }
    }
}

struct StoreExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Writes every key and value to a file, as lines of JSON in the order of the keys.",
        discussion: """
            The fields are key_b64 and value_b64. Missing parent directories are created. What stood under the name \
            stays until the new file is whole and durable. `-`, a device, a FIFO and a socket are written through.

              faultline store export accounts backup.jsonl
              faultline store export accounts - | gzip > backup.jsonl.gz
            """)

    @OptionGroup var store: StoreDirectory
    @Argument(help: "The file.")
    var file: ByteString

    func run() throws {
        try store.withSnapshot { snapshot in
            let directories = try file.parentDirectory.map { try NewDirectories(making: $0) }
            do { try export(snapshot) } catch {
                directories?.removeEmpty()
                throw error
            }
        }
    }

    private func export(_ snapshot: KeyValueSnapshot) throws {
        let output = try OutputFile(file, .replace, permissions: 0o600)
        try output.requireNot(inside: store.directory)
        let count = try snapshot.exportJSONL(output.write)
        try output.commit()
        // Within the export on standard output, the message would be corruption.
        if output.isStandardOutput {
            StandardError.say(count.counted("key"))
        } else {
            StandardOutput.show("\(count.counted("key"))")
        }
    }
}
