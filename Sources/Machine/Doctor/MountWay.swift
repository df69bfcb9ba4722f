import Bytes
import Glibc

/// A way to mount FaultFS, with its requirements.
package struct MountWay: Hashable, Sendable, Encodable {
    package var name: String
    /// An example command that mounts in this way.
    package var command: String
    /// Whether this process would mount in this way. `isPossible` says whether it works.
    package var isOurs: Bool
    package var requirements: [Requirement]

    package var isPossible: Bool { requirements.allSatisfy(\.isMet) }
}

extension Doctor {
    /// All ways to mount, the privileged one first. This process's own way includes a trial mount, to detect obstacles
    /// that no other requirement covers.
    package func mountWays() -> [MountWay] {
        let isInNamespace = host.isRoot && isInUserNamespace
        let device = sharedFUSEDeviceRequirement()
        var ways = [
            MountWay(
                name: "as root", command: "sudo faultline …", isOurs: host.isRoot && !isInNamespace,
                requirements: [isInNamespace ? Requirement("root", met: false, "of a user namespace alone") : root()]),
            MountWay(
                name: "through fusermount3", command: "faultline …", isOurs: !host.isRoot,
                requirements: [device, helper(), setuid()]),
            MountWay(
                name: "in a user namespace", command: "unshare -Urm faultline …", isOurs: isInNamespace,
                requirements: [device, namespaces(), program("unshare", package: "util-linux")]),
        ]
        for (place, way) in ways.enumerated() where way.isOurs && way.isPossible {
            ways[place].requirements.append(trialMount())
        }
        return ways
    }

    /// Whether setuid programs work. With no_new_privs (prctl(2)), a process and its children run them unprivileged.
    private func setuid() -> Requirement {
        let status = host.text("/proc/self/status") ?? ""
        let isOff = status.split(separator: "\n").contains { line in
            line.hasPrefix("NoNewPrivs:") && line.hasSuffix("1")
        }
        return Requirement(
            "setuid programs", met: !isOff, isOff ? "have no effect here (no_new_privs)" : "have effect",
            remedy: "start it without no_new_privs (docker: --security-opt no-new-privileges; "
                + "systemd: NoNewPrivileges=yes)")
    }

    /// The initial user namespace maps every user to itself: user_namespaces(7).
    private var isInUserNamespace: Bool {
        guard let map = host.text("/proc/self/uid_map") else { return false }
        return map.split(whereSeparator: \.isWhitespace) != ["0", "0", "4294967295"]
    }

    private func sharedFUSEDeviceRequirement() -> Requirement {
        let path: ByteString = "/dev/fuse"
        guard !host.isRoot else {
            return Requirement(
                "/dev/fuse", met: host.isOpenToAll(path), host.isOpenToAll(path) ? "open to all" : "open to root alone",
                remedy: "sudo chmod 0666 /dev/fuse")
        }
        return fuseDevice()
    }

    private func helper() -> Requirement {
        let name = "fusermount3"
        guard let path = host.program(name) else {
            return Requirement(name, met: false, "not found", remedy: "sudo apt-get install fuse3")
        }
        let isSetuid = host.isSetuidRoot(path)
        return Requirement(
            name, met: isSetuid, isSetuid ? "\(path)" : "\(path) does not run as root", remedy: "sudo chmod u+s \(path)"
        )
    }

    package func namespaces() -> Requirement {
        let switches: [(path: ByteString, name: String, wanted: String, isOff: @Sendable (String) -> Bool)] = [
            ("/proc/sys/user/max_user_namespaces", "user.max_user_namespaces", "10000", { $0 == "0" }),
            ("/proc/sys/kernel/unprivileged_userns_clone", "kernel.unprivileged_userns_clone", "1", { $0 == "0" }),
            (
                "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
                "kernel.apparmor_restrict_unprivileged_userns", "0", { $0 == "1" }
            ),
        ]
        for (path, name, wanted, isOff) in switches {
            // A missing switch is no obstacle.
            guard let value = host.text(path).map({ $0.filter { !$0.isWhitespace } }), isOff(value) else { continue }
            return Requirement(
                "user namespaces", met: false, "\(name) is \(value)", remedy: "sudo sysctl \(name)=\(wanted)")
        }
        if let few = openFileLimitRequirement() { return few }
        // Seccomp filters, chroot(2) and security modules can also refuse, which no file shows.
        guard let problem = host.tryNamespace() else {
            return Requirement("user namespaces", met: true, "one was made")
        }
        return Requirement(
            "user namespaces", met: false, problem,
            remedy: "docker: --security-opt seccomp=unconfined; else run as root, or through fusermount3")
    }
}
