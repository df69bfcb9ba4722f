import Bytes
import Glibc
import Storage

/// The directories that hold kernels for the guest, and what was unpacked from them. scripts/setup uses the same.
///
///     kernels/linux-image-6.1.0-56-amd64   a Debian package, unpacked
///     packages/linux-image-6.12…-68f60db5  the file of another, unpacked
///     vmlinux-6.1.0-56-amd64-1f2e3d4c      its kernel without compression
package enum GuestCache {
    /// Where kernels are looked for: FAULTLINE_CACHE alone if it is set; else the user's cache, then the machine's.
    package static func directories() -> [ByteString] {
        if let chosen = variable("FAULTLINE_CACHE") { return [chosen] }
        let user = variable("XDG_CACHE_HOME") ?? variable("HOME").map { $0.appending(component: ".cache") }
        return (user.map { [$0.appending(component: "faultline")] } ?? []) + [machineDirectory]
    }

    private static let machineDirectory: ByteString = "/var/cache/faultline"

    /// Where this user may write. Made if need be; root uses the machine's, as scripts/setup does.
    static func writableDirectory() throws(GuestError) -> ByteString {
        let all = directories()
        let candidates = geteuid() == 0 ? all.reversed() : all
        for directory in candidates {
            do throws(OutputError) {
                _ = try NewDirectories(making: directory, permissions: 0o755)
            } catch {
                continue
            }
            if GuestFile.isWritable(directory) { return directory }
        }
        throw .system(call: "mkdir", path: candidates.first ?? machineDirectory, errno: EACCES)
    }

    private static func variable(_ name: String) -> ByteString? {
        guard let value = getenv(name), value.pointee == UInt8(ascii: "/") else { return nil }
        return ByteString(cString: value)
    }
}
