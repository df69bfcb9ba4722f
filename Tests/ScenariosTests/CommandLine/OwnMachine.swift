import Foundation
import Testing

/// A machine of its own for one script, as far as processes, mounts and scratch space go: a cleanup there finds nothing of
/// anybody else, and when the script ends the kernel takes everything away.
enum OwnMachine {
    /// $1 is a directory of the test, which becomes /tmp; $2 is where the program is; $3 is the script.
    private static let frame = """
        set -eu
        mount --make-rprivate /
        # The namespace begins with a copy of the machine's mounts, also of those that other tests have now.
        # A copy of a mounted filesystem would keep its loop device from them, too.
        umount --all --lazy --internal-only --types fuse.faultline
        for place in $(sed -n 's|^/dev/loop[0-9]* \\([^ ]*faultline[^ ]*\\) .*|\\1|p' /proc/mounts); do
            umount --lazy --internal-only "$place"
        done
        mkdir "$1/bin" "$1/home"
        mount --bind "$2" "$1/bin"
        mount --rbind "$1" /tmp
        mount -t tmpfs faultline-test /dev/shm
        export PATH=/tmp/bin:/usr/bin:/bin:/usr/sbin:/sbin TMPDIR=/tmp FAULTLINE_RUNS=/tmp/home/runs
        cd /tmp/home
        # Another namespace of process ids, as a container has one.
        elsewhere() { unshare --pid --fork --mount-proc "$@"; }
        # Waits until a command succeeds, half a minute at most.
        until_true() { for _ in $(seq 600); do if "$@" >/dev/null 2>&1; then return 0; fi; sleep 0.05; done; return 1; }
        # How many loop devices have a file of this machine's scratch space, also one that is gone. They are the same on every
        # machine, and files of others have the same paths, but cannot be seen here.
        devices() {
            found=0
            for entry in /sys/block/loop*/loop/backing_file; do
                place=$(cat "$entry" 2>/dev/null) || continue
                case "$place" in
                    /dev/shm/faultline-scratch*" (deleted)" | /disk*) found=$((found + 1)) ;;
                    /dev/shm/faultline-scratch*) [ ! -e "$place" ] || found=$((found + 1)) ;;
                esac
            done
            echo $found
        }
        running() { [ "$(pgrep -fxc "$1")" -ge "${2:-1}" ]; }
        # The process that serves the one mount there is.
        server() { sed -n 's/^faultline-\\([0-9]*\\) .*/\\1/p' /proc/mounts; }
        eval "$3"
        """

    /// Runs a shell script, in which `elsewhere`, `until_true`, `running` and `server` help, to its end. It stops at the first
    /// command that fails.
    static func run(_ script: String) throws -> Faultline.Answer {
        let temporary = try TemporaryDirectory()
        let products = URL(filePath: try #require(Faultline.path)).deletingLastPathComponent().path
        return try Faultline.run(
            [
                "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", frame, "sh",
                temporary.path, products, script,
            ], of: "/usr/bin/env")
    }

    /// Why there is none here.
    static let reasonToSkip: String? = {
        func reason() -> String? {
            guard geteuid() == 0 else { return "takes root, for namespaces" }
            guard TestMachine.hasFUSE else { return "needs /dev/fuse" }
            let answer = try? run("faultline --version; elsewhere true; until_true true")
            return answer?.status == 0 ? nil : "no namespaces here: \(answer?.error ?? "")"
        }
        let found = reason()
        if let found { print("SKIPPED: tests on a machine of their own: \(found)") }
        return found
    }()
}
