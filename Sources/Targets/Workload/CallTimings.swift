import Bytes
import Glibc
import Platform
import Storage

/// Writes how long the calls of a store take, a line each: `put 12345`, in nanoseconds.
///
/// A workload has one if `FAULTLINE_TIMINGS` names a file. It is buffered, so a kill loses the last lines; a file that
/// cannot be written gets none, because timings must never fail a workload. Thread safe.
package final class CallTimings: Sendable {
    /// A call of a store.
    package enum Call: String, CaseIterable, Sendable {
        case put, sync, get
    }

    private let file: SharedDescriptor
    private let buffer = Guarded<[UInt8]>([])
    private static let bufferBytes = 4096

    /// Creates the file, or appends to it. Nil if it cannot be opened.
    package init?(_ path: ByteString) {
        guard let (number, _) = try? OutputDescriptor.append(path) else { return nil }
        file = SharedDescriptor(adopting: number)
    }

    deinit { buffer.withLock(write) }

    package func add(_ call: Call, nanoseconds: Int64) {
        buffer.withLock { buffer in
            buffer += "\(call.rawValue) \(nanoseconds)\n".utf8
            if buffer.count >= Self.bufferBytes { write(&buffer) }
        }
    }

    private func write(_ buffer: inout [UInt8]) {
        _ = buffer.withUnsafeBytes { Glibc.write(file.rawValue, $0.baseAddress, $0.count) }
        buffer.removeAll(keepingCapacity: true)
    }
}

extension CallTimings? {
    /// Runs `body` and notes how long it took, unless it failed.
    package func timing<Result, Failure: Error>(
        _ call: CallTimings.Call, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard let timings = self else { return try body() }
        let began = ContinuousClock.now
        let result = try body()
        let (seconds, attoseconds) = began.duration(to: .now).components
        timings.add(call, nanoseconds: seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
        return result
    }
}
