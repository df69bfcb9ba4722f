import ArgumentParser
import Block
import Bytes
import Machine
import Report
import Runs
import Storage

struct TraceImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Makes a trace of a write log: of dm-log-writes, or of QEMU's blklogwrites.",
        discussion: """
              faultline trace import log --oracle oracle.jsonl --base disk-before.img --out run.trace
              faultline explore sqlite --block ext4 --trace run.trace

            The trace has what was on the device before, and then the log's writes, flushes and discards. A mark \
            `faultline-oracle-17` (`dmsetup message DEVICE 0 mark faultline-oracle-17`) is the place of line 17 of \
            --oracle; without --oracle the text of each mark is a line. Other marks are left out.

            What was on the device before: the file --base; or what the log itself has written before the mark --from, which \
            must come after a flush; or zeros. A log that is damaged or cut off is refused, with the place.
            """)

    @Argument(help: "The log: a file or a device.")
    var log: ByteString

    @Option(help: "The trace to write; it must not be there yet.")
    var out: ByteString

    @Option(help: "The oracle whose lines the marks name.")
    var oracle: ByteString?

    @Option(help: "A file with the content of the device before the log began.")
    var base: ByteString?

    @Option(help: ArgumentHelp("Begin after this mark: the entries before it make the base.", valueName: "mark"))
    var from: String?

    @Option(
        help: ArgumentHelp(
            "The size of the device, such as 64M (default: of --base, or up to the end of the log's last write).",
            valueName: "size"))
    var size: MemorySize?

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        if base != nil, from != nil { throw ValidationError("--base and --from exclude each other") }
    }

    func run() throws {
        let deviceBytes = try deviceSize()
        let lines = try oracle.map { path in
            var lines: [[UInt8]] = []
            try RunFiles.forEachLine(of: path) { lines.append($0) }
            return lines
        }
        var conversion = try WriteLogImport(creating: out)
        do {
            let reader = try WriteLogReader(log)
            if let from {
                try conversion.appendBase(sizeBytes: deviceBytes, before: from, of: reader)
            } else {
                try conversion.appendBase(sizeBytes: deviceBytes, image: base)
            }
            try conversion.appendEvents(of: reader, sizeBytes: deviceBytes, oracle: lines)
            try conversion.finish()
        } catch {
            try? RunFiles.remove(out)
            throw error
        }
        try show(conversion.counts)
    }

    /// Reads the whole log, so that nothing is written of a damaged one.
    private func deviceSize() throws -> UInt64 {
        let reader = try WriteLogReader(log)
        var end: UInt64 = 0
        while let entry = try reader.next() { end = max(end, entry.range.upperBound) }
        if let size { return UInt64(size.bytes) }
        return base.map { UInt64(RunFiles.size(of: $0)) } ?? end
    }

    private func show(_ counts: WriteLogImport.Counts) throws {
        guard !json else { return try StandardOutput.show(counts, .object) }
        let parts = [
            counts.writes.counted("write") + (counts.forcedWrites > 0 ? " (\(counts.forcedWrites) with FUA)" : ""),
            counts.flushes.counted("flush", "flushes"), counts.discards.counted("discard"),
            counts.oracleLines.counted("oracle line"),
        ]
        StandardOutput.show("\(out): \(parts.joined(separator: ", "))")
        if counts.baseEntries > 0 { StandardOutput.show("the base: \(counts.baseEntries.counted("entry", "entries"))") }
        if counts.otherMarks > 0 {
            StandardOutput.show("\(counts.otherMarks.counted("mark")) left out: no line of the oracle")
        }
    }
}
