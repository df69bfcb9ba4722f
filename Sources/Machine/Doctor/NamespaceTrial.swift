import Bytes
import Glibc
import Targets

/// A trial of unprivileged user and mount namespaces: runs unshare(1).
enum NamespaceTrial {
    private static let patienceMilliseconds = 5000

    /// Returns the error; nil on success or if unshare(1) is missing. Leaves nothing behind.
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
