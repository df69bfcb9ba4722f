import Bytes
import CPlatform
import Glibc
import Platform

/// Whether a mount still has a server. The kernel ends a FUSE connection when its last descriptor is closed, however
/// the process ended and in whatever namespace it ran. A process id would not tell: it means another process, or none,
/// in another namespace.
package enum MountConnection: Hashable, Sendable {
    case served
    /// Its server has ended: every call on it fails with ENOTCONN.
    case ended
    /// It did not answer in time, or cannot be probed.
    case unknown(reason: String)
}

extension MountTable.Mount {
    /// Probes the mount. The probe is not recorded, and no rule matches it. A stopped server costs the full
    /// `patienceMilliseconds`.
    package func connection(patienceMilliseconds: Int = 3000) -> MountConnection {
        guard let probe = ConnectionProbe(self) else { return .unknown(reason: "cannot start a thread to probe it") }
        return probe.answer(within: patienceMilliseconds)
    }
}

/// Probes a mount in its own thread. That thread may hang forever without harm: it holds no lock, and a kill ends it.
private final class ConnectionProbe: @unchecked Sendable {
    private let entry: MountTable.Mount
    private let answered: OneWayFlag
    private let lock = Lock()
    private var result = MountConnection.unknown(reason: "its server does not answer")

    init?(_ entry: MountTable.Mount) {
        self.entry = entry
        do throws(Errno) {
            answered = try OneWayFlag()
            try Thread.startDetached { [self] in
                let result = run()
                lock.withLock { self.result = result }
                answered.raise()
            }
        } catch {
            return nil
        }
    }

    func answer(within milliseconds: Int) -> MountConnection {
        _ = try? answered.wait(until: Deadline(afterMilliseconds: milliseconds))
        return lock.withLock { result }
    }

    private func run() -> MountConnection {
        let root = entry.mountPoint.withCString { faultline_hold_directory($0) }
        guard root >= 0 else { return .unknown(reason: Errno(-root).description) }
        let held = SharedDescriptor(adopting: root)
        if let id = entry.id, let here = Self.mountID(of: held), id != here {
            return .unknown(reason: "something else is mounted over it")
        }
        let status = ControlDirectory.name.appending("status")
        let file = status.withCString { openat(held.rawValue, $0, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC) }
        let failure = errno
        if file >= 0 {
            close(file)
            return .served
        }
        switch failure {
        case ENOTCONN, ECONNABORTED: return .ended
        // The kernel's answer to users who may not access the mount.
        case EACCES: return .unknown(reason: Errno(failure).description)
        default: return .served
        }
    }

    /// The mount id of an open file, as in mountinfo.
    private static func mountID(of descriptor: SharedDescriptor) -> Int? {
        let path = "/proc/self/fdinfo/\(descriptor.rawValue)"
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        while getline(&line, &capacity, file) > 0, let text = line.map({ String(cString: $0) }) {
            guard text.hasPrefix("mnt_id:") else { continue }
            return Int(text.dropFirst("mnt_id:".count).filter(\.isNumber))
        }
        return nil
    }
}
