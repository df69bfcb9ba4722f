import Bytes
import Glibc
import Platform

/// Determines which scenarios work on this machine; for the others, what is missing and how to enable it.
package struct Doctor: Sendable {
    /// One scenario, or the built-in target that depends on the machine.
    package struct Diagnosis: Hashable, Sendable, Encodable {
        package var scenario: String
        package var summary: String
        /// Whether this version of Faultline has the scenario. Planned scenarios are examined too.
        package var isInThisVersion: Bool
        package var requirements: [Requirement]

        /// Whether the machine meets all requirements.
        package var isPossible: Bool { requirements.allSatisfy(\.isMet) }
        package var works: Bool { isInThisVersion && isPossible }

        /// The missing requirements and their remedies, in one line.
        package var obstacle: String {
            requirements.filter { !$0.isMet }.map { requirement in
                "\(requirement.name): \(requirement.finding)" + (requirement.remedy.map { " (try: \($0))" } ?? "")
            }.joined(separator: "; ")
        }

        package init(_ scenario: String, _ summary: String, isInThisVersion: Bool, _ requirements: [Requirement]) {
            self.scenario = scenario
            self.summary = summary
            self.isInThisVersion = isInThisVersion
            self.requirements = requirements
        }

        private enum Key: String, CodingKey { case scenario, summary, works, isInThisVersion, requirements }

        package func encode(to encoder: any Encoder) throws {
            var fields = encoder.container(keyedBy: Key.self)
            try fields.encode(scenario, forKey: .scenario)
            try fields.encode(summary, forKey: .summary)
            try fields.encode(works, forKey: .works)
            try fields.encode(isInThisVersion, forKey: .isInThisVersion)
            try fields.encode(requirements, forKey: .requirements)
        }
    }

    package let host: Host
    private let driver: Requirement

    /// - Parameter driver: the program that drives the built-in targets, or why it is missing.
    package init(host: Host = .real, driver: Requirement) {
        self.host = host
        self.driver = driver
    }

    /// Not a scenario, but where those that this machine cannot run may run.
    private static let guest: Subject = (
        "guest", "a virtual machine with root and device-mapper, for block and flakey (--machine guest)",
        [.virtualMachine]
    )

    /// The name and machine needs of a scenario.
    package typealias Subject = (name: String, summary: String, needs: [MachineNeed])

    /// Diagnoses these, the guest and the planned scenarios.
    package func diagnose(_ scenarios: [Subject]) -> [Diagnosis] {
        let fuse = fuse()
        func all(_ needs: [MachineNeed]) -> [Requirement] {
            needs.flatMap { $0 == .fuse ? fuse : requirements(for: $0) }
        }
        return scenarios.map { scenario in
            Diagnosis(scenario.name, scenario.summary, isInThisVersion: true, [driver] + all(scenario.needs))
        }
            + [
                Diagnosis(
                    Self.guest.name, Self.guest.summary, isInThisVersion: true, all(Self.guest.needs))
            ]
    }

    /// The missing needs and their remedies, in one line; nil if all are met.
    package func obstacle(to needs: [MachineNeed]) -> String? {
        let all = Diagnosis("", "", isInThisVersion: true, [driver] + needs.flatMap(requirements))
        return all.isPossible ? nil : all.obstacle
    }

    private func requirements(for need: MachineNeed) -> [Requirement] {
        switch need {
        case .root: [root()]
        case .fuse: fuse()
        case .loopDevices: [loop()]
        case .makeFilesystem(let type): [makeFilesystem(type)]
        case .deviceMapper(let target): [deviceMapper(target)]
        case .virtualMachine: virtualMachine()
        }
    }

    // MARK: - FUSE

    /// The requirements of a mount. The trial mount decides; the rest explains a failure.
    private func fuse() -> [Requirement] {
        let device = fuseDevice()
        guard device.isMet else { return [device] }
        return [device, trialMount()]
    }

    func trialMount() -> Requirement {
        if let few = openFileLimitRequirement() { return few }
        guard let problem = host.tryMount() else { return Requirement("mount", met: true, "a trial mount worked") }
        return Requirement("mount", met: false, problem, remedy: mountRemedy())
    }

    /// The unmet requirement on open files, if the limit is too low for any mount; else nil.
    func openFileLimitRequirement() -> Requirement? {
        let wanted = 64
        let line = host.text("/proc/self/limits")?.split(separator: "\n").first { $0.hasPrefix("Max open files") }
        // The last fields are the soft limit, the hard limit (which applies, as a process may raise its soft limit to
        // it) and the unit.
        guard let words = line?.split(separator: " "), let hard = Int(words[words.count - 2]), hard < wanted else {
            return nil
        }
        return Requirement("open files", met: false, "at most \(hard) at once are allowed", remedy: "ulimit -n 1024")
    }

    func fuseDevice() -> Requirement {
        let path: ByteString = "/dev/fuse"
        switch host.open(path) {
        case 0: return Requirement("/dev/fuse", met: true, "opens")
        case ENOENT, ENODEV, ENXIO:
            return Requirement(
                "/dev/fuse", met: false, "is not there",
                remedy: "sudo modprobe fuse    # in a container: docker run --device /dev/fuse --cap-add SYS_ADMIN …")
        case EACCES:
            return Requirement(
                "/dev/fuse", met: false, "may be opened by root alone", remedy: "sudo chmod 0666 /dev/fuse")
        case EPERM:
            return Requirement(
                "/dev/fuse", met: false, "the container does not let it be opened",
                remedy: "docker run --device /dev/fuse --cap-add SYS_ADMIN …")
        case let errno:
            return Requirement("/dev/fuse", met: false, Errno(errno).description)
        }
    }

    private func mountRemedy() -> String {
        guard !host.isRoot else {
            return "docker run --device /dev/fuse --cap-add SYS_ADMIN --security-opt apparmor=unconfined …"
        }
        guard let helper = host.program("fusermount3") else { return "sudo apt-get install fuse3" }
        return host.isSetuidRoot(helper) ? "sudo faultline doctor" : "sudo chmod u+s \(helper)"
    }

    // MARK: - Block devices

    package func root() -> Requirement {
        Requirement("root", met: host.isRoot, host.isRoot ? "yes" : "no", remedy: "sudo faultline …")
    }

    private func loop() -> Requirement {
        let errno = host.open("/dev/loop-control")
        return Requirement(
            "loop devices", met: errno == 0, errno == 0 ? "yes" : Errno(errno).description,
            remedy: errno == ENOENT ? "sudo modprobe loop" : "sudo faultline …")
    }

    private func makeFilesystem(_ type: String) -> Requirement {
        let packages = [
            "ext4": "e2fsprogs", "ext2": "e2fsprogs", "xfs": "xfsprogs", "btrfs": "btrfs-progs", "f2fs": "f2fs-tools",
        ]
        return program("mkfs.\(type)", package: packages[type] ?? type)
    }

    private func deviceMapper(_ target: String) -> Requirement {
        let name = "dm-\(target)"
        let misc = host.text("/proc/misc") ?? ""
        let isThere = misc.split(separator: "\n").contains { $0.hasSuffix(" device-mapper") }
        guard isThere else {
            return Requirement(
                name, met: false, "this kernel has no device-mapper, or has not loaded it",
                remedy: "sudo modprobe \(name)    # no such module: --machine guest")
        }
        // What is built in has no state as a module. Only root may ask the kernel itself.
        let isLoaded = host.text(ByteString("/sys/module/dm_\(target.replacing("-", with: "_"))/initstate")) != nil
        guard isLoaded || host.deviceMapperTargets().contains(target) else {
            return Requirement(name, met: false, "is not loaded", remedy: "sudo modprobe \(name)")
        }
        return Requirement(name, met: true, "is there")
    }

    /// What the guest is made of. Its other programs are those of the scenario.
    private func virtualMachine() -> [Requirement] {
        let kernel = host.guestKernel()
        return [
            guestProgram("qemu-system-x86_64"), guestProgram("busybox"),
            Requirement(
                "a kernel for the guest", met: kernel.isFound, kernel.finding, remedy: Self.guestSetup),
        ]
    }

    /// Run in the source tree; it installs the packages, and unpacks the kernel.
    private static let guestSetup = "scripts/setup --guest"

    private func guestProgram(_ name: String) -> Requirement {
        let path = host.program(name)
        return Requirement(name, met: path != nil, path?.description ?? "not found", remedy: Self.guestSetup)
    }

    package func program(_ name: String, package: String) -> Requirement {
        let path = host.program(name)
        return Requirement(
            name, met: path != nil, path?.description ?? "not found", remedy: "sudo apt-get install \(package)")
    }
}
