import Glibc
import Testing

@testable import FaultFS

/// What is left of a mount in the serving process once it is gone.
@Suite(.enabled(if: Bench.canMount)) struct MountLifetimeTests {
    /// Mounts, lets another process keep a file open, unmounts by force, and forgets the mount.
    private func mountWithHeldFile(_ file: String) throws -> (objects: [Weak], holder: String) {
        let bench = try Bench(prepare: "echo 1 > f; mkdir d") { $0.unmountPatienceMilliseconds = 50 }
        let holder = bench.succeed("sleep 600 \(file) >/dev/null 2>&1 & echo $!").filter(\.isNumber)
        let fileSystem = try #require(bench.mount.fileSystem)
        let objects = [
            Weak(fileSystem), Weak(bench.mount.oracle), Weak(fileSystem.table.root.children["f"]),
            Weak(fileSystem.table.root.children["d"]),
        ]
        try #require(objects.allSatisfy { $0.object != nil })
        // The holder has opened the file when another process sees it.
        let isHeld = (0..<5000).contains { _ in
            if Shell.run("ls -l /proc/\(holder)/fd | grep -q '/mnt/'").status == 0 { return true }
            usleep(1000)
            return false
        }
        try #require(isHeld)
        try bench.mount.unmount()
        return (objects, holder)
    }

    private final class Weak {
        weak var object: AnyObject?
        init(_ object: AnyObject?) { self.object = object }
    }

    /// The kernel does not release such a file in time, and one held handle kept the whole mount with its descriptors.
    @Test(arguments: ["3>>.faultline/oracle", "3<f", "3<d"])
    func `a file that is open through a forced unmount keeps nothing of the mount`(file: String) throws {
        let (objects, holder) = try mountWithHeldFile(file)
        defer { _ = Shell.run("kill -9 \(holder)") }
        #expect(objects.allSatisfy { $0.object == nil })
    }
}
