import Bytes
import CPlatform
import Glibc
import Platform
import Storage

/// The sandbox layers of this machine.
package struct SandboxLayers: Hashable, Sendable {
    /// How to create a mount namespace; nil if that is impossible.
    package var namespace: Namespace?
    /// The Landlock ABI; 0 if the kernel has none that can confine a store.
    package var landlock: Int32

    package enum Namespace: Hashable, Sendable {
        /// With our own privileges.
        case mount
        /// As an ordinary user, through a user namespace.
        case user
    }

    /// Whether it is a complete sandbox. Landlock alone does not prevent changes of modes, owners and times through
    /// links, so it is not enough for foreign files.
    package var isWhole: Bool { namespace != nil }
}

/// Tests that a sandbox works here: a process in it tries to write inside and outside.
package struct SandboxTrial: Sendable {
    package var layers: SandboxLayers
    /// Why there is no mount namespace; nil when there is one.
    package var obstacle: String?

    package init(namespace: SandboxLayers.Namespace?, landlock: Int32, obstacle: String? = nil) {
        layers = SandboxLayers(namespace: namespace, landlock: landlock)
        self.obstacle = obstacle
    }

    /// The trial of this process, run once: the strongest layers that work, or none.
    package static let here = SandboxTrial.run()

    /// Tries the combinations, strongest first. Cleans up.
    static func run() -> SandboxTrial {
        var trial = SandboxTrial(namespace: nil, landlock: 0)
        let landlock = faultline_landlock_abi()
        let namespaces: [SandboxLayers.Namespace] = faultline_may_mount() == 1 ? [.mount, .user] : [.user]
        let whole = namespaces.flatMap { namespace in
            (landlock > 0 ? [landlock, 0] : [0]).map { SandboxLayers(namespace: namespace, landlock: $0) }
        }
        for layers in whole + (landlock > 0 ? [SandboxLayers(namespace: nil, landlock: landlock)] : []) {
            guard let failure = failure(of: layers) else {
                trial.layers = layers
                if layers.isWhole { trial.obstacle = nil }
                return trial
            }
            trial.obstacle = trial.obstacle ?? failure
        }
        return trial
    }

    /// Why these layers do not confine a process; nil if they do.
    private static func failure(of layers: SandboxLayers) -> String? {
        var path =
            Array("\(getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp")/faultline-sandbox-XXXXXX".utf8) + [0]
        let isMade = path.withUnsafeMutableBytes {
            mkdtemp($0.assumingMemoryBound(to: CChar.self).baseAddress!) != nil
        }
        let directory = ByteString(path.dropLast())
        guard isMade else { return "\(directory): mkdtemp: \(Errno(errno))" }
        defer { try? TreeRemoval.remove(directory) }
        do throws(TargetError) {
            return try failure(of: layers, within: directory)
        } catch {
            return "\(error)"
        }
    }

    private static func failure(
        of layers: SandboxLayers, within directory: ByteString
    ) throws(TargetError) -> String? {
        let inside = directory.appending(component: "inside")
        guard inside.withCString({ mkdir($0, 0o700) }) == 0 else { throw .system("mkdir", inside) }
        // Exit code 0: correct; 3: cannot write inside; 4: can write outside.
        var command = Command([
            "/bin/sh", "-c", #"cd "$1" && : > inside/file || exit 3; (: > outside) 2>/dev/null && exit 4; exit 0"#,
            "sh",
            directory,
        ])
        command.sandbox = try Sandbox(inside, layers: layers)
        let (termination, process) = try ProcessRunner.run(command, timeoutMilliseconds: 10_000)
        switch termination {
        case .exited(0): return nil
        case .exited(3): return "a confined process cannot write to its own directory: \(process.standardError.said)"
        case .exited(4): return "a confined process can write outside of its directory"
        default: return "a confined process \(termination)"
        }
    }
}
