import Bytes

/// A device of ours that works until it is made to fail, by dm-flakey or another target of device-mapper.
///
/// One thread at a time.
package final class FlakeyDevice {
    package let device: MappedDevice
    private let lower: LoopDevice
    private let sectorCount: UInt64

    /// So long it fails, or works, before the kernel would look again.
    private static let intervalSeconds = 86_400

    /// Makes the device; it works.
    ///
    /// - Parameter name: unique, and beginning with the name of the scratch directory that `lower`'s file is in.
    package init(named name: String, over lower: LoopDevice, sizeBytes: UInt64) throws {
        self.lower = lower
        sectorCount = sizeBytes / MappedDevice.sectorBytes
        device = try MappedDevice(
            named: name, over: [lower], table: Self.table(sectorCount, over: lower.path, nil))
    }

    /// `0 131072 flakey /dev/loop0 0 0 86400 1 error_writes`
    static func table(_ sectorCount: UInt64, over device: ByteString, _ fault: FlakeyFault?) -> String {
        switch fault {
        case nil: return "0 \(sectorCount) flakey \(device) 0 \(intervalSeconds) 0 0"
        case .error: return "0 \(sectorCount) error"
        case .delay: return "0 \(sectorCount) delay \(device) 0 \(delayMilliseconds)"
        case .dust: return "0 \(sectorCount) dust \(device) 0 \(dustBlockBytes)"
        case let fault?:
            return "0 \(sectorCount) flakey \(device) 0 0 \(intervalSeconds) \(fault.features ?? "0")"
        }
    }

    /// So long each request waits.
    private static let delayMilliseconds = 20
    /// One of so many blocks of dm-dust is bad.
    private static let (dustBlockBytes, dustPeriod): (UInt64, UInt64) = (4096, 64)

    /// Why the kernel does not take a fault; nil if it does. Loads a table without using it.
    package func problem(with fault: FlakeyFault) throws -> String? {
        try device.problem(with: Self.table(sectorCount, over: lower.path, fault))
    }

    /// From now on it fails in this way; with nil it works again.
    package func change(to fault: FlakeyFault?) throws {
        try device.change(to: Self.table(sectorCount, over: lower.path, fault))
        guard fault == .dust else { return }
        let blocks = sectorCount * MappedDevice.sectorBytes / Self.dustBlockBytes
        for block in stride(from: Self.dustPeriod / 2, to: blocks, by: Int(Self.dustPeriod)) {
            try device.send("addbadblock \(block)")
        }
        try device.send("enable")
    }
}
