import Bytes
import Platform

/// A device of ours whose writes, flushes and discards dm-log-writes logs, with marks among them.
///
/// One thread at a time, but for `mark`.
package final class LogWritesDevice: Sendable {
    package let device: MappedDevice
    /// Receives the log. It is complete after `end`.
    package let logFile: ByteString
    private let log: LoopDevice

    /// What is never written takes no room. If room is short, the kernel stops logging, and `end` says so.
    private static let logBytes: UInt64 = 64 << 30

    /// Makes the device.
    ///
    /// - Parameters:
    ///   - name: unique, and beginning with the name of the scratch directory that `directory` is in.
    ///   - directory: of this run, for the log.
    package init(
        named name: String, over lower: LoopDevice, sizeBytes: UInt64, sectorBytes: UInt32, in directory: ByteString
    ) throws {
        logFile = directory.appending(component: "log")
        _ = try ImageFile(creating: logFile, sizeBytes: Self.logBytes)
        log = try LoopDevice(logFile, in: directory, blockBytes: sectorBytes, isDirect: false)
        device = try MappedDevice(
            named: name, over: [lower, log],
            table: "0 \(sizeBytes / MappedDevice.sectorBytes) log-writes \(lower.path) \(log.path)")
    }

    /// Puts the place of the Nth oracle line into the log.
    package func mark(oracleLine number: Int) throws(Errno) {
        try device.send("mark \(WriteLogImport.oracleMark)\(number)")
    }

    /// Takes the device away: writes that no flush has followed are logged then. Throws if the kernel has stopped logging.
    package func end() throws {
        let status = try device.status()
        remove()
        guard !status.contains("logging_disabled") else { throw BlockError.logStopped(logFile) }
        guard log.waitUntilFree() else { throw BlockError.busy(log.path, seconds: 2) }
    }

    /// Takes the device away, whatever became of the log.
    package func remove() {
        device.remove()
        log.release()
    }
}
