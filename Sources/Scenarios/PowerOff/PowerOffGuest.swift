import Bytes
import Glibc
import Guest

/// What a run on the host and its two parts in guests agree on: the workload on a disk whose power goes, and the
/// exploration.
enum PowerOffGuest {
    /// Names the disk for the workload.
    static let diskVariable = "FAULTLINE_POWER_OFF_DISK"
    /// Names the trace to explore.
    static let traceVariable = "FAULTLINE_POWER_OFF_TRACE"
    /// The disk's serial number.
    static let serial = "faultline-power-off"
    /// Where the workload begins in the log.
    static let beginMark = "faultline-begin"
    /// The oracle in the directory that the guest shares with the host, so that it outlives the guest.
    static let oracleName: ByteString = "oracle.jsonl"
    static let oracle: ByteString = GuestTask.sharedDirectory.appending(component: oracleName)

    /// The trace in that directory.
    static let traceName: ByteString = "recorded.trace"
    static let givenTrace: ByteString = GuestTask.sharedDirectory.appending(component: traceName)

    static var diskSerial: String? { getenv(diskVariable).map { String(cString: $0) } }
    static var trace: ByteString? { getenv(traceVariable).map { ByteString(cString: $0) } }
    /// Whether this process runs in such a guest.
    static var isHere: Bool { diskSerial != nil || trace != nil }
}
