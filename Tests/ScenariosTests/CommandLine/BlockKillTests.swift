import Foundation
import Testing

/// What a `kill -9` leaves of a run below a real filesystem, and a cleanup takes away: mounts, loop devices, processes.
@Suite(.enabled(if: OwnMachine.reasonToSkip == nil, "\(OwnMachine.reasonToSkip ?? "")"))
struct BlockKillTests {
    /// How many kills at random moments; FAULTLINE_BLOCK_KILLS asks for more.
    private static let killCount =
        ProcessInfo.processInfo.environment["FAULTLINE_BLOCK_KILLS"].flatMap { Int($0) } ?? 3

    @Test func `after kills at random moments nothing is left`() throws {
        guard access("/dev/loop-control", R_OK | W_OK) == 0 else {
            print("SKIPPED: kills of runs below real filesystems need loop devices")
            return
        }
        let answer = try OwnMachine.run(
            """
            left() { [ "$(devices)" = 0 ] && ! grep -q faultline-scratch /proc/mounts && [ -z "$(ls -A /dev/shm)" ]; }
            for number in $(seq \(Self.killCount)); do
                for fs in ext4 xfs btrfs; do
                    command -v mkfs.$fs >/dev/null || continue
                    faultline explore sqlite --block $fs --ops 20 >/dev/null 2>&1 &
                    run=$!
                    sleep "$(awk -v seed="$number$fs$$" 'BEGIN { srand(); s = 0; for (i = 1; i <= length(seed); i++) \\
                        s = (s * 31 + i * index("0123456789abcdefghijklmnopqrstuvwxyz", substr(seed, i, 1))) % 997; \\
                        print 0.05 + (s % 100) / 40 }')"
                    kill -9 $run
                    wait $run 2>/dev/null || true
                    faultline cleanup >cleaned 2>&1 || { cat cleaned; exit 1; }
                    until_true left || {
                        echo "left after $fs:"; grep faultline /proc/mounts; ls /dev/shm; losetup -a; exit 1
                    }
                done
            done
            echo nothing is left
            """)
        #expect(answer.status == 0 && answer.output.hasSuffix("nothing is left\n"), "\(answer)")
    }
}
