import Bytes
import Model
import Storage

extension Recording {
    /// Writes the base tree and the first `count` events as a trace. Events after a crash point are irrelevant for the
    /// crash, except further pieces of a write(2) that had begun: they show that the crash came within that write.
    package func write(firstEvents count: Int, to path: ByteString) throws {
        var writer = try TraceWriter(creating: path)
        try writer.append(base: base, from: payloads)
        let rest = events[count...].prefix { $0.isFurtherPiece }
        for event in events[..<(count + rest.count)] {
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
