import Bytes
import Glibc

/// Which process started something, and which of its spawns that was: how a process that outlived its Faultline is known.
///
/// It stands in the environment (`FAULTLINE_SPAWN`), and once more, shortened, in the soft limit RLIMIT_LOCKS, which Linux
/// has not enforced since 2.4.25 and hands down through fork(2) and execve(2): a process that wipes its environment and
/// closes every descriptor still has it. Whoever changes both is not found.
package struct SpawnMark: Hashable, Sendable {
    /// The line of an environment that says that a process belongs to nobody: it is meant to outlive who started it.
    package static let nobody = ByteString(
        ProcessFamily.variable.bytes + [UInt8(ascii: "=")] + nobodyValue.bytes)

    static let nobodyValue: ByteString = "nobody"

    var process: Int32
    /// When that process started, in clock ticks since boot: an id that is used again is another process.
    var startTicks: UInt64
    var serial: UInt64
    /// The namespace of process ids in which `process` means something: the number that /proc/PID/ns/pid has.
    var namespace: UInt32

    init(process: Int32, startTicks: UInt64, serial: UInt64, namespace: UInt32) {
        self.process = process
        self.startTicks = startTicks
        self.serial = serial
        self.namespace = namespace
    }

    /// What spawn number `serial` of this process gets.
    init(ours serial: UInt64) {
        self = SpawnMark.us
        self.serial = serial
    }

    var isOurs: Bool {
        process == SpawnMark.us.process && startTicks == SpawnMark.us.startTicks
            && namespace == SpawnMark.us.namespace
    }

    private static let us = SpawnMark(
        process: getpid(), startTicks: ProcessTable.ownStartTicks ?? 0, serial: 0,
        namespace: ProcessTable.ownNamespace ?? 0)

    // MARK: - In the environment

    var text: ByteString { ByteString("\(process).\(startTicks).\(serial).\(namespace)") }

    init?(parsing text: ByteString) {
        let parts = text.bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            .map { UInt64(String(decoding: $0, as: UTF8.self)) }
        guard parts.count == 4, let process = parts[0].flatMap(Int32.init(exactly:)), let startTicks = parts[1],
            let serial = parts[2], let namespace = parts[3].flatMap(UInt32.init(exactly:))
        else { return nil }
        self.init(process: process, startTicks: startTicks, serial: serial, namespace: namespace)
    }

    // MARK: - As a limit

    /// Process ids have 22 bits (PID_MAX_LIMIT). Of the ticks, 26 bits wrap after a week: a mark may then be taken for
    /// that of a living process, never the other way round.
    private static let (processBits, tickBits): (UInt64, UInt64) = (22, 26)

    /// 16 bits of the namespace, the process, and the lower bits of its start.
    var limit: UInt64 {
        (UInt64(namespace) & 0xFFFF) << (Self.processBits + Self.tickBits)
            | (UInt64(process) & (1 << Self.processBits - 1)) << Self.tickBits
            | startTicks & (1 << Self.tickBits - 1)
    }

    /// The process that a limit names, if it was made in `namespace`; the lower bits of its start.
    static func process(ofLimit limit: UInt64, namespace: UInt32) -> (process: Int32, startTicks: UInt64)? {
        guard limit >> (processBits + tickBits) == UInt64(namespace) & 0xFFFF else { return nil }
        let process = Int32(limit >> tickBits & (1 << processBits - 1))
        return process > 0 ? (process, limit & (1 << tickBits - 1)) : nil
    }

    static func isSameStart(_ startTicks: UInt64, asInLimit short: UInt64) -> Bool {
        startTicks & (1 << tickBits - 1) == short
    }
}
