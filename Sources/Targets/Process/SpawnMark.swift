import Bytes
import Glibc

/// A mark that each spawned process carries: which Faultline process spawned it, and in which of its spawns. It
/// identifies processes that outlived their Faultline.
///
/// The mark is in the environment (`FAULTLINE_SPAWN`) and, shortened, in the soft limit RLIMIT_LOCKS. Linux has not
/// enforced that limit since 2.4.25, and fork(2) and execve(2) inherit it: a process that clears its environment and
/// closes all descriptors still has it. A process that changes both the environment and the limit is not found.
package struct SpawnMark: Hashable, Sendable {
    /// The environment entry for a process that is meant to outlive its Faultline.
    package static let nobody = ByteString(
        ProcessFamily.variable.bytes + [UInt8(ascii: "=")] + nobodyValue.bytes)

    static let nobodyValue: ByteString = "nobody"

    var process: Int32
    /// The start time of that process in clock ticks since boot, since pids are reused.
    var startTicks: UInt64
    var serial: UInt64
    /// The pid namespace of `process`: the number in /proc/PID/ns/pid.
    var namespace: UInt32

    init(process: Int32, startTicks: UInt64, serial: UInt64, namespace: UInt32) {
        self.process = process
        self.startTicks = startTicks
        self.serial = serial
        self.namespace = namespace
    }

    /// The mark for spawn number `serial` of this process.
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

    /// Pids have 22 bits (PID_MAX_LIMIT). 26 bits of ticks wrap after a week: a stale mark may then match a live
    /// process that reuses the pid. The mark of a live process always matches.
    private static let (processBits, tickBits): (UInt64, UInt64) = (22, 26)

    /// 16 bits of the namespace, then the pid, then the lower bits of its start time.
    var limit: UInt64 {
        (UInt64(namespace) & 0xFFFF) << (Self.processBits + Self.tickBits)
            | (UInt64(process) & (1 << Self.processBits - 1)) << Self.tickBits
            | startTicks & (1 << Self.tickBits - 1)
    }

    /// The pid and the lower bits of its start time in a limit, if the limit is from `namespace`.
    static func process(ofLimit limit: UInt64, namespace: UInt32) -> (process: Int32, startTicks: UInt64)? {
        guard limit >> (processBits + tickBits) == UInt64(namespace) & 0xFFFF else { return nil }
        let process = Int32(limit >> tickBits & (1 << processBits - 1))
        return process > 0 ? (process, limit & (1 << tickBits - 1)) : nil
    }

    static func isSameStart(_ startTicks: UInt64, asInLimit short: UInt64) -> Bool {
        startTicks & (1 << tickBits - 1) == short
    }
}
