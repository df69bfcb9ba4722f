import Bytes
import Machine
import Runs

/// What records the device below a real filesystem. The traces are alike, and explored alike.
package enum DeviceRecorder: Hashable, Sendable {
    /// FaultFS, which serves the file behind a loop device.
    case served
    /// dm-log-writes.
    case writeLog
    /// Nothing: this trace was recorded elsewhere.
    case trace(ByteString)

    /// What recording, and mounting the images, takes.
    func needs(below block: BlockSetup) -> [MachineNeed] {
        switch self {
        case .served: block.needs
        case .writeLog: block.needs + [.deviceMapper("log-writes")]
        case .trace: block.needs.filter { $0 != .fuse }
        }
    }
}
