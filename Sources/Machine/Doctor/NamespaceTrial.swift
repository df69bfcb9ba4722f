import Bytes
import Glibc
import Targets

/// The proof that an ordinary user may make a user namespace with mounts of its own here: unshare(1) does, and ends.
enum NamespaceTrial {
    private static let patienceMilliseconds = 5000

    /// What went wrong; `nil` when it worked, or where unshare(1), which it takes, is not there. Leaves nothing behind.
    @Sendable package static func run() -> String? {
        guard let unshare = Host.real.program("unshare") else { return nil }
        do throws(TargetError) {
            let command = Command([unshare, "--user", "--map-root-user", "--mount", "true"])
            let (termination, process) = try ProcessRunner.run(command, timeoutMilliseconds: patienceMilliseconds)
            try process.killTree()
            guard termination != .exited(code: 0) else { return nil }
            let said = "\(process.standardError)".split(separator: "\n").first.map(String.init)
            return said ?? "unshare(1) \(termination)"
        } catch {
            return "\(error)"
        }
    }
}
