import Bytes
import Glibc

/// A way in which FaultFS comes to its mounts, whether it is the one that is taken here, and what it would take.
package struct MountWay: Hashable, Sendable, Encodable {
    package var name: String
    /// Who would say so, in the form of a command.
    package var command: String
    /// This process would mount in this way.
    package var isTaken: Bool
    package var requirements: [Requirement]

    package var isPossible: Bool { requirements.allSatisfy(\.isMet) }
}

extension Doctor {
    /// Every way, the privileged one first.
    package func mountWays() -> [MountWay] {
        let isInNamespace = host.isRoot && isInUserNamespace
        let device = deviceForEverybody()
        return [
            MountWay(
                name: "as root", command: "sudo faultline …", isTaken: host.isRoot && !isInNamespace,
                requirements: [isInNamespace ? Requirement("root", met: false, "of a user namespace alone") : root()]),
            MountWay(
                name: "through fusermount3", command: "faultline …", isTaken: !host.isRoot,
                requirements: [device, helper()]),
            MountWay(
                name: "in a user namespace", command: "unshare -Urm faultline …", isTaken: isInNamespace,
                requirements: [device, namespaces(), program("unshare", package: "util-linux")]),
        ]
    }

    /// user_namespaces(7): the first namespace maps every user to itself.
    private var isInUserNamespace: Bool {
        guard let map = host.text("/proc/self/uid_map") else { return false }
        return map.split(whereSeparator: \.isWhitespace) != ["0", "0", "4294967295"]
    }

    private func deviceForEverybody() -> Requirement {
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

    private func namespaces() -> Requirement {
        let switches: [(path: ByteString, name: String, wanted: String, isOff: @Sendable (String) -> Bool)] = [
            ("/proc/sys/user/max_user_namespaces", "user.max_user_namespaces", "10000", { $0 == "0" }),
            ("/proc/sys/kernel/unprivileged_userns_clone", "kernel.unprivileged_userns_clone", "1", { $0 == "0" }),
            (
                "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
                "kernel.apparmor_restrict_unprivileged_userns", "0", { $0 == "1" }
            ),
        ]
        for (path, name, wanted, isOff) in switches {
            // What a kernel does not have does not stand in the way.
            guard let value = host.text(path).map({ $0.filter { !$0.isWhitespace } }), isOff(value) else { continue }
            return Requirement(
                "user namespaces", met: false, "\(name) is \(value)", remedy: "sudo sysctl \(name)=\(wanted)")
        }
        return Requirement("user namespaces", met: true, "allowed")
    }
}
