import Bytes
import Glibc

/// The value of `FAULTLINE_SPAWN`: which process started something, and which of its spawns that was.
package struct SpawnMark: Hashable, Sendable {
    /// The line of an environment that says that a process belongs to nobody: it is meant to outlive who started it.
    package static let nobody = ByteString(ProcessFamily.variable.bytes + Array("=nobody".utf8))

    var process: Int32
    /// When that process started, in clock ticks since boot: an id that is used again is another process.
    var startTicks: UInt64
    var serial: UInt64

    init(process: Int32, startTicks: UInt64, serial: UInt64) {
        self.process = process
        self.startTicks = startTicks
        self.serial = serial
    }

    /// What spawn number `serial` of this process gets.
    init(ours serial: UInt64) {
        self.init(process: SpawnMark.us.process, startTicks: SpawnMark.us.startTicks, serial: serial)
    }

    var isOurs: Bool { process == SpawnMark.us.process && startTicks == SpawnMark.us.startTicks }

    private static let us = (process: getpid(), startTicks: ProcessTable.startTicks(of: getpid()) ?? 0)

    var text: ByteString { ByteString("\(process).\(startTicks).\(serial)") }

    init?(parsing text: ByteString) {
        let parts = text.bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            .map { UInt64(String(decoding: $0, as: UTF8.self)) }
        guard parts.count == 3, let process = parts[0].flatMap(Int32.init(exactly:)), let startTicks = parts[1],
            let serial = parts[2]
        else { return nil }
        self.init(process: process, startTicks: startTicks, serial: serial)
    }
}
