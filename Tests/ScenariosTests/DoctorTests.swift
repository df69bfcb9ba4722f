import Bytes
import Glibc
import Machine
import Report
import Scenarios
import Targets
import Testing

struct DoctorTests {
    /// A machine on which everything is there and works; each test takes something away.
    private static let whole = Host(
        isRoot: true, open: { _ in 0 }, program: { ByteString("/usr/bin/\($0)") }, isSetuidRoot: { _ in true },
        isOpenToAll: { _ in true }, text: { path in path == "/proc/misc" ? "236 device-mapper\n" : "live\n" },
        tryMount: { nil }, tryNamespace: { nil },
        trySandbox: { SandboxTrial(namespace: .mount, landlock: 6) },
        guestKernel: { (true, "linux-image-6.1.0-56-amd64") })
    private static let driver = Requirement("built-in targets", met: true, "there")

    private func diagnosis(_ scenario: String, _ change: (inout Host) -> Void) throws -> Doctor.Diagnosis {
        var host = Self.whole
        change(&host)
        return try #require(
            Doctor(host: host, driver: Self.driver).diagnose(ScenarioList.subjects).first { $0.scenario == scenario })
    }

    @Test func `on a whole machine everything is possible, and what this version has works`() {
        let all = Doctor(host: Self.whole, driver: Self.driver).diagnose(ScenarioList.subjects)
        #expect(all.filter { !$0.isPossible } == [])
        #expect(all.filter(\.works).map(\.scenario) == ScenarioList.names.map(\.rawValue) + ["guest"])
        #expect(!DoctorReport(all, ways: []).text(for: .plain).contains("Missing"))
    }

    @Test(arguments: [
        (SandboxTrial(namespace: .mount, landlock: 6), true, "works", "FIFOs, signals and ptrace"),
        (SandboxTrial(namespace: .user, landlock: 0), true, "in a user namespace", "not in this kernel"),
        (
            SandboxTrial(namespace: nil, landlock: 2, obstacle: "mount_setattr: Function not implemented"), false,
            "mount_setattr: Function not implemented: sudo faultline",
            "states with links that lead out of them are refused"
        ),
    ])
    func `a sandbox works or says what it takes`(trial: SandboxTrial, works: Bool, says: String, more: String) {
        var host = Self.whole
        host.trySandbox = { trial }
        let sandbox = Doctor(host: host, driver: Self.driver).sandbox()
        #expect(sandbox.works == works)
        let text = DoctorReport([], ways: [], sandbox: sandbox).text(for: .plain)
        #expect(text.contains(says) && text.contains(more), "\(text)")
    }

    @Test func `where user namespaces are switched off, the switch is named`() {
        var host = Self.whole
        host.text = { $0 == "/proc/sys/user/max_user_namespaces" ? "0\n" : nil }
        host.trySandbox = { SandboxTrial(namespace: nil, landlock: 0, obstacle: "clone: No space left on device") }
        let sandbox = Doctor(host: host, driver: Self.driver).sandbox()
        #expect(sandbox.requirements.map(\.isMet) == [false, false])
        #expect(sandbox.requirements.first?.remedy == "sudo sysctl user.max_user_namespaces=10000")
    }

    private static func limits(_ soft: Int, _ hard: Int) -> String {
        "Limit                     Soft Limit           Hard Limit           Units     \n"
            + "Max open files            \(soft)                   \(hard)                 files     \n"
    }

    @Test(arguments: ["power-cut", "explore"])
    func `where few files may be open, that limit is named`(scenario: String) throws {
        let few = try diagnosis(scenario) {
            $0.text = { $0 == "/proc/self/limits" ? Self.limits(12, 12) : nil }
            $0.tryMount = { "openat: Too many open files" }
        }
        #expect(!few.works)
        #expect(few.requirements.contains { !$0.isMet && $0.remedy == "ulimit -n 1024" })
        #expect(!few.requirements.contains { $0.remedy?.contains("docker") == true })
        // We go up to the hard limit by ourselves.
        let enough = try diagnosis(scenario) {
            $0.text = { $0 == "/proc/self/limits" ? Self.limits(12, 4096) : nil }
        }
        #expect(enough.works)
    }

    @Test func `without the driver no built-in target runs`() {
        let missing = Requirement("built-in targets", met: false, "not there", remedy: "swift build")
        let all = Doctor(host: Self.whole, driver: missing).diagnose(ScenarioList.subjects)
        // A guest also runs other commands.
        #expect(all.filter(\.works).map(\.scenario) == ["guest"])
    }

    @Test(arguments: [
        (ENOENT, "sudo modprobe fuse"), (EACCES, "sudo chmod 0666 /dev/fuse"), (EPERM, "docker run --device /dev/fuse"),
    ])
    func `a device that does not open has a remedy for its reason, and nothing is mounted`(
        errno: Int32, remedy: String
    ) throws {
        let diagnosis = try diagnosis("power-cut") { host in
            host.open = { $0 == "/dev/fuse" ? errno : 0 }
            host.tryMount = { "must not be tried" }
        }
        #expect(!diagnosis.works)
        let missing = diagnosis.requirements.filter { !$0.isMet }
        #expect(missing.map(\.name) == ["/dev/fuse"])
        #expect(missing.first?.remedy?.hasPrefix(remedy) == true)
    }

    @Test(arguments: [
        (true, true, true, "docker run"), (false, false, true, "sudo apt-get install fuse3"),
        (false, true, false, "sudo chmod u+s /usr/bin/fusermount3"),
    ])
    func `a mount that fails has a remedy for who asks and what is there`(
        isRoot: Bool, hasHelper: Bool, isSetuid: Bool, remedy: String
    ) throws {
        let diagnosis = try diagnosis("power-cut") { host in
            host.isRoot = isRoot
            host.program = { hasHelper ? ByteString("/usr/bin/\($0)") : nil }
            host.isSetuidRoot = { _ in isSetuid }
            host.tryMount = { "no permission" }
        }
        let missing = diagnosis.requirements.filter { !$0.isMet }
        #expect(missing.map(\.finding) == ["no permission"])
        #expect(missing.first?.remedy?.hasPrefix(remedy) == true)
    }

    @Test(
        arguments: [
            ("", "live", "sudo modprobe dm-log-writes    # no such module: --machine guest"),
            ("236 device-mapper\n", nil, "sudo modprobe dm-log-writes"),
        ] as [(String, String?, String)])
    func `device-mapper may be missing as a whole, or one of its targets`(
        misc: String, module: String?, remedy: String
    ) throws {
        let diagnosis = try diagnosis("log-writes") { host in
            host.text = { path in
                switch path {
                case "/proc/misc": misc
                case "/sys/module/dm_log_writes/initstate": module
                default: nil
                }
            }
        }
        #expect(diagnosis.requirements.filter { !$0.isMet }.map(\.remedy) == [remedy])
    }

    @Test func `a target of device-mapper that is built in is no module, and is there`() throws {
        let diagnosis = try diagnosis("log-writes") { host in
            host.text = { $0 == "/proc/misc" ? "236 device-mapper\n" : nil }
            host.deviceMapperTargets = { ["linear", "log-writes"] }
        }
        #expect(diagnosis.requirements.allSatisfy { $0.name != "dm-log-writes" || $0.isMet })
    }

    @Test(arguments: [
        ("mkfs.xfs", "block", "sudo apt-get install xfsprogs"),
        ("mkfs.ext4", "block", "sudo apt-get install e2fsprogs"),
        ("qemu-system-x86_64", "guest", "scripts/setup --guest"),
        ("busybox", "guest", "scripts/setup --guest"),
    ])
    func `a missing program is named with its package`(name: String, scenario: String, remedy: String) throws {
        let diagnosis = try diagnosis(scenario) { host in
            host.program = { $0 == name ? nil : ByteString("/usr/bin/\($0)") }
        }
        #expect(diagnosis.requirements.filter { !$0.isMet }.map(\.remedy) == [remedy])
    }

    @Test func `a guest without a kernel says where one was looked for, and how to get one`() throws {
        let diagnosis = try diagnosis("guest") { $0.guestKernel = { (false, "none in /var/cache/faultline") } }
        let missing = diagnosis.requirements.filter { !$0.isMet }
        #expect(missing.map(\.finding) == ["none in /var/cache/faultline"])
        #expect(missing.map(\.remedy) == ["scripts/setup --guest"])
    }

    @Test(
        arguments: [
            (true, " 0 0 4294967295\n", "as root"), (true, " 0 1000 1\n", "in a user namespace"),
            (false, " 0 0 4294967295\n", "through fusermount3"),
        ])
    func `one way to mount is taken, the others say what they need`(isRoot: Bool, map: String, taken: String) throws {
        var host = Self.whole
        host.isRoot = isRoot
        host.isOpenToAll = { _ in false }
        host.open = { $0 == "/dev/fuse" && !isRoot ? EACCES : 0 }
        host.text = { $0 == "/proc/self/uid_map" ? map : $0 == "/proc/sys/user/max_user_namespaces" ? "0\n" : nil }
        let ways = Doctor(host: host, driver: Self.driver).mountWays()
        #expect(ways.filter(\.isOurs).map(\.name) == [taken])
        let text = DoctorReport([], ways: ways).text(for: .plain)
        #expect(text.contains("sudo chmod 0666 /dev/fuse"))
        #expect(text.contains("user.max_user_namespaces is 0: sudo sysctl user.max_user_namespaces=10000"))
        host = Self.whole
        host.text = { _ in nil }
        let isPossible = Doctor(host: host, driver: Self.driver).mountWays().map(\.isPossible)
        #expect(isPossible == [true, true, true])
        host.isSetuidRoot = { _ in false }
        let helper = Doctor(host: host, driver: Self.driver).mountWays()[1].requirements.filter { !$0.isMet }
        #expect(helper.map(\.remedy) == ["sudo chmod u+s /usr/bin/fusermount3"])
    }

    private static let refusals: [(change: @Sendable (inout Host) -> Void, way: Int, said: String)] = [
        ({ host in host.tryMount = { "fusermount3: not permitted" } }, 1, "fusermount3: not permitted"),
        ({ host in host.program = { _ in nil } }, 1, "not found"),
        ({ host in host.text = { $0 == "/proc/self/status" ? "Name:\tx\nNoNewPrivs:\t1\n" : nil } }, 1, "no_new_privs"),
        ({ host in host.tryNamespace = { "unshare: not permitted" } }, 2, "unshare: not permitted"),
    ]

    /// Each of them looks possible by its files.
    @Test(arguments: refusals.indices)
    func `a way that does not work when it is tried is neither used nor possible`(index: Int) {
        let refusal = Self.refusals[index]
        var host = Self.whole
        host.isRoot = false
        host.text = { _ in nil }
        refusal.change(&host)
        let ways = Doctor(host: host, driver: Self.driver).mountWays()
        let way = ways[refusal.way]
        #expect(!way.isPossible)
        let text = DoctorReport([], ways: ways).text(for: .plain)
        #expect(text.contains(refusal.said), "\(text)")
        #expect(!text.contains("used here") || !way.isOurs, "\(text)")
        #expect(text.contains("does not work") == way.isOurs, "\(text)")
    }

    @Test func `what is missing is said once, with every scenario that waits for it`() throws {
        var host = Self.whole
        host.open = { $0 == "/dev/fuse" ? EACCES : 0 }
        let text = DoctorReport(Doctor(host: host, driver: Self.driver).diagnose(ScenarioList.subjects), ways: []).text(
            for: .plain)
        #expect(text.components(separatedBy: "sudo chmod 0666 /dev/fuse").count == 2)
        #expect(text.contains("power-cut, io-error, explore, block"))
    }
}

extension String {
    fileprivate func components(separatedBy separator: String) -> [Substring] { split(separator: separator) }
}
