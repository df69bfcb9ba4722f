import Block
import Bytes
import FaultFS
import Glibc
import Guest
import Targets

/// The machine features that scenarios depend on; replaceable in tests.
package struct Host: Sendable {
    package var isRoot: Bool
    /// Tries to open a file for reading and writing: 0, or the errno.
    package var open: @Sendable (ByteString) -> Int32
    /// Finds a program on PATH, in /usr/sbin and in /sbin; nil if it is not there.
    package var program: @Sendable (String) -> ByteString?
    /// Whether the program is setuid root.
    package var isSetuidRoot: @Sendable (ByteString) -> Bool
    /// Whether every user may read and write the file.
    package var isOpenToAll: @Sendable (ByteString) -> Bool
    /// The text of a file in /proc or /sys; nil if it is missing.
    package var text: @Sendable (ByteString) -> String?
    /// Mounts and unmounts a FaultFS. Returns the error; nil on success.
    package var tryMount: @Sendable () -> String?
    /// Creates a user and mount namespace and leaves it. Returns the error; nil on success.
    package var tryNamespace: @Sendable () -> String?
    /// Tries the sandbox on a process. Returns the layers that work.
    package var trySandbox: @Sendable () -> SandboxTrial
    /// Looks for a kernel for the guest: its name, or why there is none.
    package var guestKernel: @Sendable () -> (isFound: Bool, finding: String)
    /// The targets of device-mapper that the kernel has now; none if this user may not ask.
    package var deviceMapperTargets: @Sendable () -> [String]

    package init(
        isRoot: Bool, open: @escaping @Sendable (ByteString) -> Int32,
        program: @escaping @Sendable (String) -> ByteString?, isSetuidRoot: @escaping @Sendable (ByteString) -> Bool,
        isOpenToAll: @escaping @Sendable (ByteString) -> Bool,
        text: @escaping @Sendable (ByteString) -> String?, tryMount: @escaping @Sendable () -> String?,
        tryNamespace: @escaping @Sendable () -> String?, trySandbox: @escaping @Sendable () -> SandboxTrial,
        guestKernel: @escaping @Sendable () -> (isFound: Bool, finding: String) = Self.realGuestKernel,
        deviceMapperTargets: @escaping @Sendable () -> [String] = { [] }
    ) {
        self.deviceMapperTargets = deviceMapperTargets
        self.isRoot = isRoot
        self.open = open
        self.program = program
        self.isSetuidRoot = isSetuidRoot
        self.isOpenToAll = isOpenToAll
        self.text = text
        self.tryMount = tryMount
        self.tryNamespace = tryNamespace
        self.trySandbox = trySandbox
        self.guestKernel = guestKernel
    }

    @Sendable package static func realGuestKernel() -> (isFound: Bool, finding: String) {
        do throws(GuestError) { return (true, try GuestKernel.newest().packageName) } catch {
            return (false, "none in " + GuestCache.directories().map(\.description).joined(separator: ", "))
        }
    }

    /// This machine.
    package static let real = Host(
        isRoot: geteuid() == 0,
        open: { path in
            let file = path.withCString { Glibc.open($0, O_RDWR | O_CLOEXEC | O_NONBLOCK) }
            guard file >= 0 else { return errno }
            close(file)
            return 0
        },
        program: { name in
            let path = getenv("PATH").map { String(cString: $0) } ?? ""
            return (path.split(separator: ":").map(String.init) + ["/usr/sbin", "/sbin"]).lazy
                .map { ByteString("\($0)/\(name)") }.first { $0.withCString { access($0, X_OK) } == 0 }
        },
        isSetuidRoot: { path in
            var status = stat()
            return path.withCString { stat($0, &status) } == 0 && status.st_uid == 0 && status.st_mode & S_ISUID != 0
        },
        isOpenToAll: { path in
            var status = stat()
            return path.withCString { stat($0, &status) } == 0 && status.st_mode & 0o006 == 0o006
        },
        text: { path in SmallFile.contents(of: path).map { String(decoding: $0, as: UTF8.self) } },
        tryMount: MountTrial.run, tryNamespace: NamespaceTrial.run, trySandbox: { SandboxTrial.here },
        deviceMapperTargets: DeviceMapper.targets)
}
