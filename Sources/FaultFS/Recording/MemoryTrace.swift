import Glibc
import Model
import Platform

/// A trace in memory, for tests and short runs.
///
/// Threading: thread safe.
package final class MemoryTrace: TraceSink, PayloadStore, @unchecked Sendable {
    private static let chunkSizeBytes = 4 << 20

    private let lock = Lock()
    private var recorded: [TraceEvent] = []
    private var chunks: [UnsafeMutableRawPointer] = []
    private var filledBytes = 0

    package init() {}

    deinit { for chunk in chunks { free(chunk) } }

    package func begin(_ base: Tree, contents: any PayloadStore) {}

    package func events() -> [TraceEvent] { lock.withLock { recorded } }

    package func forEachEvent(_ body: (TraceEvent) -> Void) { events().forEach(body) }

    package var status: String {
        lock.withLock { "path none, in memory\nevents \(recorded.count)\ndata-bytes \(filledBytes)\n" }
    }

    package var payloads: any PayloadStore { self }

    package func append(_ event: TraceEvent, data: UnsafeRawBufferPointer) throws -> TraceEvent {
        lock.lock()
        defer { lock.unlock() }
        let event = data.isEmpty ? event : event.moved(to: try store(data))
        recorded.append(event)
        return event
    }

    private func store(_ bytes: UnsafeRawBufferPointer) throws -> Payload {
        let payload = Payload(offsetBytes: UInt64(filledBytes), countBytes: UInt64(bytes.count))
        var rest = bytes[...]
        while !rest.isEmpty {
            let within = filledBytes % Self.chunkSizeBytes
            if within == 0 {
                chunks.append(try Self.makeChunk())
            }
            let part = rest.prefix(Self.chunkSizeBytes - within)
            (chunks[chunks.count - 1] + within).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: part).baseAddress!, byteCount: part.count)
            filledBytes += part.count
            rest = rest.dropFirst(part.count)
        }
        return payload
    }

    /// Uses huge pages if possible: a page fault every 4 KiB costs more than the copy.
    private static func makeChunk() throws -> UnsafeMutableRawPointer {
        var chunk: UnsafeMutableRawPointer?
        guard posix_memalign(&chunk, 2 << 20, chunkSizeBytes) == 0, let chunk else { throw Errno(ENOMEM) }
        madvise(chunk, chunkSizeBytes, Int32(MADV_HUGEPAGE))
        return chunk
    }

    package func bytes(of payload: Payload) throws -> [UInt8] {
        lock.lock()
        defer { lock.unlock() }
        let (end, overflow) = payload.offsetBytes.addingReportingOverflow(payload.countBytes)
        guard !overflow, end <= UInt64(filledBytes) else { throw PayloadError.outOfRange(payload) }
        var offset = Int(payload.offsetBytes)
        return [UInt8](unsafeUninitializedCapacity: Int(payload.countBytes)) { buffer, filled in
            while offset < Int(end) {
                let within = offset % Self.chunkSizeBytes
                let count = min(Int(end) - offset, Self.chunkSizeBytes - within)
                (UnsafeMutableRawPointer(buffer.baseAddress!) + filled).copyMemory(
                    from: chunks[offset / Self.chunkSizeBytes] + within, byteCount: count)
                offset += count
                filled += count
            }
        }
    }
}
