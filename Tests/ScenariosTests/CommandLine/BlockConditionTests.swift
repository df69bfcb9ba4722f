import Foundation
import Testing

/// Runs below a real filesystem on a machine that lacks something, or where something goes wrong: a clear message, the right
/// exit code, and nothing left.
@Suite(.enabled(if: OwnMachine.reasonToSkip == nil, "\(OwnMachine.reasonToSkip ?? "")"))
struct BlockConditionTests {
    /// `explore NAME ARGUMENT…` runs it and prints its exit code, what it said, and what it left; `attempt` does not look at
    /// the last.
    private static let frame = """
        mounts_left() { grep -c faultline-scratch /proc/mounts || true; }
        files_left() { ls -A /dev/shm | wc -l; }
        processes_left() { pgrep -c faultline || true; }
        summary() {
            echo "left: $(devices) devices, $(mounts_left) mounts, $(files_left) files, $(processes_left) processes"
        }
        gone() { [ "$(summary)" = "left: 0 devices, 0 mounts, 0 files, 0 processes" ]; }
        # What is still there after half a minute, and its names: the kernel and processes that were killed may take a moment.
        left() {
            until_true gone || { grep faultline-scratch /proc/mounts; ls -A /dev/shm; pgrep -a faultline; losetup -a; } >&2 || true
            summary
        }
        attempt() {
            if faultline explore "$@" >out 2>&1; then status=0; else status=$?; fi
            echo "exit $status"; head -4 out
        }
        explore() { attempt "$@"; left; }
        # The target NAME, whose workload is this script; what it recovers does not matter.
        target() {
            printf '#!/bin/sh\\nif [ "$1" = recover ]; then echo "{\\\\"end\\\\":true}"; exit 0; fi\\n%s\\n' "$2" >"$1.sh"
            chmod +x "$1.sh"
            printf 'name: %s\\ndescription: %s\\nworkload: [./%s.sh, workload]\\nrecover: [./%s.sh, recover]\\n' \\
                "$1" "$1" "$1" "$1" >"$1.yaml"
        }

        """

    struct Condition: CustomTestStringConvertible {
        var name: String
        var script: String
        /// What the output must have, beside "nothing left".
        var says: [String]
        var testDescription: String { name }
    }

    static let conditions: [Condition] = [
        Condition(
            name: "an ordinary user",
            script: """
                chmod 777 . /dev/shm
                setpriv --reuid=65534 --regid=65534 --clear-groups true
                cp /tmp/bin/faultline /tmp/bin/faultline-target . 2>/dev/null
                if setpriv --reuid=65534 --regid=65534 --clear-groups ./faultline explore sqlite --block ext4 >out 2>&1
                then echo "exit 0"; else echo "exit $?"; fi
                cat out; left
                """, says: ["exit 2", "root"]),
        Condition(
            name: "loop devices without nodes, as in a container",
            script: """
                mkdir dev; mount -t tmpfs dev dev; mkdir dev/shm
                mknod dev/null c 1 3; mknod dev/zero c 1 5; mknod dev/urandom c 1 9; chmod 666 dev/*
                mknod dev/fuse c 10 229; mknod dev/loop-control c 10 237
                mount --move /dev/shm dev/shm; mount --rbind dev /dev
                explore sqlite --block ext4 --ops 4
                """, says: ["exit 2", "mknod /dev/loop"]),
        Condition(
            name: "no free loop device",
            script: "mount --bind /dev/null /dev/loop-control; explore sqlite --block ext4 --ops 4",
            says: ["exit 2", "there is no free loop device", "losetup -a"]),
        Condition(
            name: "no mkfs",
            script: """
                for name in /usr/sbin/mkfs.ext4 /sbin/mkfs.ext4; do
                    [ ! -e $name ] || mount --bind /dev/null $name
                done
                explore sqlite --block ext4 --ops 4
                """, says: ["exit 2", "mkfs.ext4: not found", "apt-get install e2fsprogs"]),
        Condition(
            name: "a full disk below the device",
            script: "mount -o remount,size=2m /dev/shm; explore sqlite --block ext4 --ops 30",
            says: ["exit 2", "filesystem is full", "No space left on device"]),
        Condition(
            name: "a mount that does not go away",
            script: """
                target slow 'touch /tmp/home/began; while [ ! -e /tmp/home/go ]; do sleep 0.05; done'
                (until_true test -e began; cd /dev/shm/faultline-scratch*/filesystem/store; touch /tmp/home/go
                    exec sleep 1009) &
                holder=$!
                # The workload ends once its directory is held. Its device stays until then, and would be counted by other tests.
                attempt ./slow.yaml --no-sandbox --block ext4
                kill $holder || true; left
                """, says: ["exit 2", "could not be unmounted", "fuser -vm"]),
        Condition(
            name: "a process of the target that stays in its directory",
            script: """
                target stays 'cd "$FAULTLINE_DIR"; (setsid env -i sleep 1011 &) ; echo a > a'
                explore ./stays.yaml --no-sandbox --block ext4 --budget 2s
                ! pgrep -fx 'sleep 1011'
                """, says: ["exit 3", "nothing was acknowledged"]),
        Condition(
            name: "a filesystem that turns read-only in the middle",
            script: """
                target turns 'cd "$FAULTLINE_DIR"; mount -o remount,ro "$(stat -c %m .)"; echo a > a'
                explore ./turns.yaml --no-sandbox --block ext4
                """, says: ["exit 3", "filesystem  turns", "though no rule fired; it is now read-only"]),
        Condition(
            name: "a filesystem that shuts down in the middle",
            script: """
                command -v xfs_io >/dev/null || { echo 'exit 3 filesystem  shuts though no rule fired; it is now shut down'
                    left; exit 0; }
                target shuts 'cd "$FAULTLINE_DIR"; xfs_io -x -c shutdown .; echo a > a'
                explore ./shuts.yaml --no-sandbox --block xfs
                """, says: ["exit 3", "filesystem  shuts", "though no rule fired; it is now shut down"]),
        Condition(
            name: "a filesystem that does not mount on its device",
            script: "explore sqlite --block ext4 --ops 4 --rule 'read path=disk nth=1 -> EIO'",
            says: ["exit 3", "does not mount, so that the store was not run: not mounted"]),
    ]

    @Test(arguments: conditions) func `is told, and nothing is left`(condition: Condition) throws {
        guard access("/dev/loop-control", R_OK | W_OK) == 0 else { return }
        let answer = try OwnMachine.run(Self.frame + condition.script)
        #expect(answer.status == 0, "\(answer)")
        for words in condition.says { #expect(answer.output.contains(words), "\(answer)") }
        #expect(answer.output.contains("left: 0 devices, 0 mounts, 0 files, 0 processes"), "\(answer)")
    }

    @Test func `an interruption at any moment ends it, with exit code 130, and leaves nothing`() throws {
        guard access("/dev/loop-control", R_OK | W_OK) == 0 else { return }
        let answer = try OwnMachine.run(
            Self.frame + """
                for moment in 0.1 0.6 1.5 3; do
                    status=0
                    timeout --preserve-status -s INT $moment faultline explore sqlite --block ext4 --ops 400 \\
                        >out 2>&1 || status=$?
                    echo "exit $status, $(left)"
                done
                """)
        let lines = answer.output.split(separator: "\n")
        #expect(lines.count == 4, "\(answer)")
        for line in lines {
            #expect(line == "exit 130, left: 0 devices, 0 mounts, 0 files, 0 processes", "\(answer)")
        }
    }
}
