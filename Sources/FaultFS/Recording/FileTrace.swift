import Bytes
import Glibc
import Model
import Platform
import Storage

/// A trace in a file (docs/trace-format.md). With the contents of the base tree it is self-contained: crash states can
/// be derived from it alone.
///
/// Only a buffer stays in memory. A crash under another profile than the mount's reads the file again.
///
/// Threading: thread safe.
package final class FileTrace: TraceSink, PayloadStore, @unchecked Sendable {
    private let lock = Lock()
    private let reader: TraceReader
    // Only accessed under the lock. Run-time exclusivity checks would cost as much as the lock.
    @exclusivity(unchecked) private var writer: TraceWriter
    @exclusivity(unchecked) private var eventCount = 0
    private let keepsContents: Bool
    @exclusivity(unchecked) private var failure: String?

    /// Creates the file; it must not exist. Without `keepsContents` the trace has the sizes of the base files but not
    /// their contents: enough for a live power cut, which has the files, and for nothing else.
    package init(creating path: ByteString, keepsContents: Bool = true) throws(TraceFileError) {
        writer = try TraceWriter(creating: path)
        reader = try TraceReader(path: path)
        self.keepsContents = keepsContents
    }

    /// A trace only for live power cuts, in an unlinked file, whose space is freed when the process ends.
    package static func unnamed(in directory: ByteString) throws(TraceFileError) -> FileTrace {
        let path = directory.appending(ByteString(".faultline-trace-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"))
        let trace = try FileTrace(creating: path, keepsContents: false)
        _ = path.withCString { unlink($0) }
        return trace
    }

    package var status: String {
        lock.withLock {
            "path \(writer.path)\nevents \(eventCount)\nbytes \(writer.sizeBytes)\n"
                + (failure.map { "failed \($0)\n" } ?? "")
        }
    }

    package var payloads: any PayloadStore { self }

    /// Flushes the buffer first if the payload is still in it.
    package func bytes(of payload: Payload) throws -> [UInt8] {
        try lock.withLock { if writer.isBuffered(payload) { try writer.flush() } }
        return try reader.bytes(of: payload)
    }

    package func begin(_ base: Tree, contents: any PayloadStore) throws {
        try lock.withLock {
            for (inode, node) in base.nodes.sorted(by: { $0.key < $1.key }) {
                try writer.append(.node(inode, node.kind, node.attributes, sizeBytes: node.sizeBytes))
                for (name, value) in node.extendedAttributes.sorted(by: { $0.key < $1.key }) {
                    try writer.append(.extendedAttribute(inode, name: name, value: value))
                }
                if keepsContents { try copy(node, inode, contents) }
            }
            for (inode, node) in base.nodes.sorted(by: { $0.key < $1.key }) {
                for (name, child) in node.entries.sorted(by: { $0.key < $1.key }) {
                    try writer.append(.entry(DirectoryEntry(inode, name), child))
                }
            }
        }
    }

    private func copy(_ node: Model.Node, _ inode: InodeID, _ contents: any PayloadStore) throws {
        let chunkBytes: UInt64 = 1 << 20
        for extent in node.content.slice(0..<node.sizeBytes) {
            var done: UInt64 = 0
            while done < extent.data.countBytes {
                let part = extent.data.slice(done, count: min(chunkBytes, extent.data.countBytes - done))
                let bytes = try contents.bytes(of: part)
                try bytes.withUnsafeBytes { bytes in
                    _ = try writer.append(
                        .content(inode, offsetBytes: extent.offsetBytes + done, data: part), data: bytes)
                }
                done += part.countBytes
            }
        }
    }

    package func append(_ event: TraceEvent, data: UnsafeRawBufferPointer) throws -> TraceEvent {
        try lock.withLock {
            do {
                let moved = try writer.append(event, data: data)
                eventCount += 1
                return moved
            } catch {
                failure = "\(error)"
                throw error
            }
        }
    }

    package func forEachEvent(_ body: (TraceEvent) -> Void) throws {
        try lock.withLock { try writer.flush() }
        var cursor = reader.cursor()
        while let record = try cursor.next() {
            if case .event(let event) = record { body(event) }
        }
    }

    /// Writes the end record, which marks the file as complete. Nothing can be recorded afterwards.
    package func finish() throws {
        try lock.withLock { try writer.finish() }
    }
}
