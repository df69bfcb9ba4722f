import Bytes
import Glibc
import Storage

/// Whether KVM works here. Some machines have /dev/kvm, and a guest on it never comes up, or QEMU ends at once: that is found
/// out once after each boot of the machine, and kept in the cache.
enum KVMSupport {
    private static let device: ByteString = "/dev/kvm"

    /// Whether to start a guest on KVM. Throws if it was asked for and there is none.
    static func isWorthTrying(_ accelerator: GuestMachine.Accelerator) throws(GuestError) -> Bool {
        switch accelerator {
        case .tcg: return false
        case .kvm:
            if let errno = problem() { throw .system(call: "open", path: device, errno: errno) }
            return true
        case .auto: return problem() == nil && !hasFailed()
        }
    }

    /// A guest on KVM did not come up.
    static func noteFailure() {
        guard let mark = try? mark() else { return }
        try? OutputFile.replace(mark, with: [], permissions: 0o644)
    }

    private static func hasFailed() -> Bool { (try? mark()).map(GuestFile.exists) ?? false }

    private static func mark() throws -> ByteString {
        let identity = try readBoot()
        return try GuestCache.writableDirectory().appending(component: ByteString("kvm-fails-\(identity)"))
    }

    /// The machine's name for its current boot.
    private static func readBoot() throws -> String {
        let path: ByteString = "/proc/sys/kernel/random/boot_id"
        let descriptor = path.withCString { open($0, O_RDONLY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw GuestError.system(call: "open", path: path, errno: errno) }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = read(descriptor, &buffer, buffer.count)
        return String(decoding: buffer[..<max(0, count)].prefix { $0 > 32 }, as: UTF8.self)
    }

    /// Why the device does not open; nil if it does.
    private static func problem() -> Int32? {
        let descriptor = device.withCString { open($0, O_RDWR | O_CLOEXEC) }
        guard descriptor >= 0 else { return errno }
        close(descriptor)
        return nil
    }
}
