import Foundation
import Testing

/// What `faultline cleanup` takes away after kills, and what it leaves alone, with processes, mounts and namespaces as they
/// are.
@Suite(.enabled(if: OwnMachine.reasonToSkip == nil, "\(OwnMachine.reasonToSkip ?? "")"))
struct CleanupCommandTests {
    /// A target that leaves daemons, and hangs: one has forked twice and made a session of its own; one has wiped its
    /// environment, too, and closed every descriptor; one lives in a namespace of process ids of its own.
    private static let daemons = """
        cat > daemons.sh <<'END'
        #!/bin/sh
        if [ "$1" = recover ]; then echo '{"end":true}'; exit 0; fi
        (setsid sh -c 'exec sleep 1001' &)
        (setsid env -i sh -c 'exec <&- >&- 2>&-; exec sleep 1002' &)
        (setsid env -i unshare --pid --fork sleep 1003 &)
        exec sleep 1000
        END
        chmod +x daemons.sh
        cat > daemons.yaml <<'END'
        name: daemons
        description: leaves daemons
        workload: [./daemons.sh, workload]
        recover: [./daemons.sh, recover]
        END
        daemons() { running 'sleep 1001' && running 'sleep 1002' && running 'sleep 1003' && running 'sleep 1000'; }
        none() { ! pgrep -fx 'sleep 100.'; }

        """

    private func succeeds(_ script: String) throws -> String {
        let answer = try OwnMachine.run(script)
        #expect(answer.status == 0, "\(answer)")
        return answer.output
    }

    @Test func `a mount that is served stays, whatever namespace a cleanup is in, and one that nobody serves goes`()
        throws
    {
        let output = try succeeds(
            """
            mkdir store mnt
            faultline mount store mnt
            echo kept > mnt/a
            elsewhere faultline cleanup
            cat mnt/a
            echo mounting over it
            elsewhere faultline mount store mnt 2>&1 || echo refused
            cat mnt/a
            echo unmounting
            elsewhere faultline unmount mnt
            ls -A mnt /dev/shm store
            echo killing
            faultline mount store mnt
            kill -9 "$(server)"
            elsewhere faultline cleanup
            faultline cleanup
            ls -A /dev/shm store
            grep -c fuse.faultline /proc/mounts || true
            """)
        #expect(output.contains("of another PID namespace still runs\nkept\n"), "\(output)")
        #expect(
            output.contains("mounting over it\nerror: /tmp/home/mnt: already a mount point\nrefused\nkept")
        )
        #expect(output.contains("unmounting\n/dev/shm:\n\nmnt:\n\nstore:\na\nkilling\n"), "\(output)")
        let killed = output.split(separator: "killing\n").last ?? ""
        // The other namespace has a mount of its own of the same; here it has to go, too.
        #expect(killed.contains("removed    /dev/shm/faultline-scratch-0-"), "\(output)")
        #expect(killed.hasSuffix("/dev/shm:\n\nstore:\na\n0\n"), "\(output)")
    }

    @Test func `a server that is stopped is not taken for dead`() throws {
        let output = try succeeds(
            """
            mkdir store mnt
            faultline mount store mnt
            server=$(server)
            kill -STOP "$server"
            faultline cleanup
            faultline unmount mnt 2>&1 || echo refused
            kill -CONT "$server"
            echo alive > mnt/a
            cat store/a
            faultline unmount mnt
            """)
        #expect(output.hasPrefix("left alone  /tmp/home/mnt ") && output.contains(" does not answer\n"), "\(output)")
        #expect(output.contains("refused\nalive\n"), "\(output)")
    }

    @Test(arguments: ["smoke", "kill", "power-cut", "io-error", "explore"])
    func `daemons of a run stay while it lives and go when it was killed`(scenario: String) throws {
        let command = scenario == "explore" ? "explore ./daemons.yaml" : "run ./daemons.yaml --scenario \(scenario)"
        let output = try succeeds(
            Self.daemons + """
                sleep 1004 &
                faultline \(command) >/dev/null 2>&1 &
                run=$!
                until_true daemons
                faultline cleanup
                elsewhere faultline cleanup
                daemons
                kill -9 $run
                echo dead:
                faultline cleanup
                pgrep -fx 'sleep 100.' -a
                ls -A /dev/shm
                grep -c fuse.faultline /proc/mounts || true
                faultline cleanup
                """)
        let parts = output.split(separator: "\ndead:\n")
        let (before, after) = (parts.first ?? "", parts.last ?? "")
        #expect(!before.contains("would") && !before.contains("killed") && !before.contains("removed"), "\(output)")
        #expect(after.contains("(sleep)") && after.contains("(unshare)"), "\(output)")
        // What others had started lives on.
        #expect(after.contains(" sleep 1004\n0\nnothing to clean up\n"), "\(output)")
    }

    @Test func `what a run in a container started is judged in the container alone`() throws {
        let output = try succeeds(
            Self.daemons + """
                cat > container.sh <<'END'
                faultline run ./daemons.yaml --scenario smoke >/dev/null 2>&1 &
                echo $! > run
                while [ ! -e clean ]; do sleep 0.05; done
                faultline cleanup > inside
                echo > done
                exec sleep 1005
                END
                elsewhere sh container.sh &
                until_true daemons
                faultline cleanup
                daemons
                pkill -9 -x faultline
                echo dead:
                faultline cleanup
                running 'sleep 1001'
                running 'sleep 1002'
                echo > clean
                until_true test -e done
                cat inside
                pgrep -fxa 'sleep 100.' | cut -d' ' -f2-
                """)
        #expect(output.contains("of another PID namespace still runs\n"), "\(output)")
        let after = output.split(separator: "\ndead:\n").last ?? ""
        // The lock tells outside that the run is dead; whose the processes are is known inside.
        #expect(after.hasPrefix("removed "), "\(output)")
        #expect(after.hasSuffix("\nsleep 1005\n") && after.contains("(sleep)"), "\(output)")
    }

    /// A cleanup may be called from a shell that a target started: it does not kill itself.
    @Test func `a stray that calls the cleanup is named and lives on`() throws {
        let output = try succeeds(
            """
            FAULTLINE_SPAWN=3999999.1.1.$(readlink /proc/self/ns/pid | tr -dc 0-9) sh -c 'faultline cleanup; echo alive'
            """)
        #expect(output.contains("a killed run left it, but this command was called from it; `kill -9 "), "\(output)")
        #expect(output.hasSuffix("alive\n"), "\(output)")
    }

    /// What a target that is root may make of its scratch space. `$D` is its store.
    static let hostile: [(name: String, script: String)] = [
        ("mounts over the store", "mount -t tmpfs hostile $D"),
        ("mounts over all scratch space", "mount -t tmpfs hostile $D/.."),
        (
            "mounts twice",
            "mkdir $D/../m; mount -t tmpfs hostile $D/../m; mount -t tmpfs hostile $D/../m; touch $D/../m/f"
        ),
        ("mounts the machine", "mkdir $D/../m; mount --rbind / $D/../m"),
        (
            "immutable and append-only",
            "mkdir $D/../d; touch $D/../d/f $D/../f; chattr +i $D/../d/f $D/../f; chattr +a $D/../d $D/.."
        ),
        ("no permissions", "mkdir -p $D/../d/e; touch $D/../d/e/f; chmod 0 $D/../d/e $D/../d"),
    ]

    @Test(arguments: hostile.map(\.name))
    func `scratch space goes at the end of a run and in a cleanup, whatever a target did to it`(name: String) throws {
        let script = Self.hostile.first { $0.name == name }!.script
        let output = try succeeds(
            """
            # Mounts reach where they would on a machine with systemd.
            mount --make-rshared /
            cat > hostile.sh <<'END'
            #!/bin/sh
            if [ "$1" = recover ]; then echo '{"end":true}'; exit 0; fi
            D=$FAULTLINE_DIR
            \(script)
            exec sleep "$HANGING"
            END
            chmod +x hostile.sh
            manifest() {
                echo 'name: hostile'
                echo 'description: makes its scratch space hard to remove'
                echo "workload: [env, HANGING=$1, ./hostile.sh, workload]"
                echo 'recover: [./hostile.sh, recover]'
            }
            before=$(wc -l < /proc/mounts)
            manifest 0 > hostile.yaml
            faultline run ./hostile.yaml --scenario smoke >/dev/null 2>&1 || true
            echo "end of the run: $(ls -A /dev/shm) $(($(wc -l < /proc/mounts) - before))"
            manifest 1000 > hostile.yaml
            faultline run ./hostile.yaml --scenario smoke >/dev/null 2>&1 &
            until_true running 'sleep 1000'
            kill -9 $!
            faultline cleanup
            echo "cleanup: $(ls -A /dev/shm) $(($(wc -l < /proc/mounts) - before))"
            faultline cleanup
            """)
        #expect(output.hasPrefix("end of the run:  0\n"), "\(output)")
        #expect(output.hasSuffix("\ncleanup:  0\nnothing to clean up\n"), "\(output)")
    }

    /// As many kills as there is time for: each scenario, at moments that differ.
    @Test(arguments: ["smoke", "kill", "power-cut", "io-error", "explore"])
    func `nothing is left of runs that were killed at some moment`(scenario: String) throws {
        let command = scenario == "explore" ? "explore" : "run"
        let options = scenario == "explore" ? "--ops 30" : "--scenario \(scenario) --ops 60"
        let output = try succeeds(
            """
            own() { grep fuse.faultline /proc/mounts || true; }
            for moment in 0.01 0.03 0.1 0.4 0.9; do
                faultline \(command) engine \(options) --set planted=none >/dev/null 2>&1 &
                run=$!
                sleep $moment
                kill -9 $run 2>/dev/null || true
                faultline cleanup > cleaned
                if [ -n "$(ls -A /dev/shm)$(own)$(pgrep faultline)" ]; then
                    echo "left at $moment: $(cat cleaned; ls -A /dev/shm; own; pgrep -a faultline)"
                fi
                if grep -qE 'left alone|failed' cleaned; then cat cleaned; fi
            done
            ls -A /tmp | grep -v -E '^(bin|home)$' || true
            """)
        #expect(output == "", "\(output)")
    }
}
