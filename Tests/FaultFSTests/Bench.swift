import Bytes
import FaultFS
import Glibc
import Model
import Testing

/// A mounted backing directory and an oracle path, in a temporary directory. `deinit` unmounts and removes everything.
final class Bench {
    /// Whether this machine can mount. Prints why not, so that a skipped suite is noticed.
    static let canMount: Bool = {
        let device = open("/dev/fuse", O_RDWR | O_CLOEXEC)
        if device >= 0 {
            close(device)
            return true
        }
        print("SKIPPED: tests that mount: /dev/fuse cannot be opened: \(String(cString: strerror(errno)))")
        return false
    }()

    /// The directories for test mounts. Mounts in memory take other code paths; nil where tmpfs has no extended
    /// attributes.
    static let disk = "/tmp"
    static let memory: String? = {
        let file = "/dev/shm/faultfs-test-\(getpid())"
        let trial = Shell.run(": > \(file) && setfattr -n user.k -v v \(file)")
        unlink(file)
        if trial.status != 0 { print("SKIPPED: tests of mounts in memory: \(trial.output)") }
        return trial.status == 0 ? "/dev/shm" : nil
    }()
    static let roots = [disk] + (memory.map { [$0] } ?? [])

    /// Every third seed mounts in memory.
    static func root(_ seed: UInt64) -> String { seed % 3 == 0 ? memory ?? disk : disk }

    let directory: String
    let trace = MemoryTrace()
    let mount: FaultMount

    var backing: String { directory + "/backing" }
    var mountPoint: String { directory + "/mnt" }
    var oracle: String { directory + "/oracle" }

    /// Runs the script `prepare` in the backing directory, then mounts it.
    init(in root: String = Bench.disk, prepare: String = "", configure: (inout MountOptions) -> Void = { _ in }) throws
    {
        var template = Array("\(root)/faultfs-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(reason: "mkdtemp: errno \(errno)") }
        directory = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        let made = Shell.run(
            "mkdir '\(directory)/backing' '\(directory)/mnt' && cd '\(directory)/backing' && { \(prepare)\n:; }")
        guard made.status == 0 else { throw Failure(reason: made.output) }
        var options = MountOptions()
        options.trace = trace
        options.oraclePath = ByteString(directory + "/oracle")
        options.unmountPatienceMilliseconds = 300
        configure(&options)
        mount = try FaultMount(
            backing: ByteString(directory + "/backing"), mountPoint: ByteString(directory + "/mnt"), options: options)
        try mount.start()
    }

    deinit {
        checkTrace()
        do { try mount.unmount() } catch { print("left behind: \(error)") }
        _ = Shell.run("umount -l '\(mountPoint)' 2>/dev/null; rm -rf '\(directory)'")
    }

    /// Checks that the recorded trace is valid, whatever the test did.
    private func checkTrace() {
        var validator = TraceValidator()
        do {
            for record in mount.base.baseRecords() { try validator.check(record) }
            try validator.checkBaseEnd()
            for event in trace.events() { try validator.check(event) }
        } catch {
            Issue.record("invalid trace: \(error)\n\(trace.text)")
        }
    }

    struct Failure: Error { var reason: String }

    /// Runs a script in the mount.
    func run(_ script: String) -> Shell.Result { Shell.run("cd '\(mountPoint)' && { \(script)\n}") }

    /// Runs a script in the mount, expects success, and returns its output.
    @discardableResult
    func succeed(_ script: String, sourceLocation: SourceLocation = #_sourceLocation) -> String {
        let result = run(script)
        #expect(result.status == 0, "\(script)\n\(result.output)", sourceLocation: sourceLocation)
        return result.output
    }
}
