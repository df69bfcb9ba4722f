import Bytes
import Model
import Storage

extension Recording {
    /// Writes the first `count` events as a trace of their own, with the tree that they began with: what comes after a
    /// crash point says nothing of the crash.
    package func write(firstEvents count: Int, to path: ByteString) throws {
        var writer = try TraceWriter(creating: path)
        try writer.append(base: base, from: payloads)
        for event in events[..<count] {
            guard let payload = TraceRecord.event(event).payload else {
                try writer.append(event)
                continue
            }
            let bytes = try payloads.bytes(of: payload)
            _ = try bytes.withUnsafeBytes { try writer.append(event, data: $0) }
        }
        try writer.finish()
    }
}
