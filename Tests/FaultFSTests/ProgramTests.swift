import FaultFS
import Glibc
import Model
import Testing

/// Ordinary programs work in a mount.
@Suite(.enabled(if: Bench.canMount), .serialized) struct ProgramTests {
    @Test(arguments: ["delete", "truncate", "persist", "memory", "wal"])
    func `SQLite works`(journalMode: String) throws {
        let bench = try Bench()
        let output = bench.succeed(
            """
            sqlite3 a.db 'PRAGMA journal_mode=\(journalMode); PRAGMA synchronous=FULL;
              CREATE TABLE t(k INTEGER PRIMARY KEY, v BLOB);
              INSERT INTO t SELECT value, randomblob(200) FROM generate_series(1,500);
              UPDATE t SET v = randomblob(300) WHERE k % 3 = 0; DELETE FROM t WHERE k % 7 = 0;'
            sqlite3 a.db 'PRAGMA integrity_check; SELECT count(*) FROM t;'
            """)
        #expect(output.contains("ok\n429"))
    }

    /// Several processes at once: SQLite's WAL index is a shared mapping of a file in the mount.
    @Test func `SQLite shares its WAL index between processes`() throws {
        let bench = try Bench()
        let output = bench.succeed(
            """
            sqlite3 a.db 'PRAGMA journal_mode=wal; CREATE TABLE t(k);'
            for w in 1 2 3; do
              (for i in 1 2 3 4 5 6 7 8 9 10; do sqlite3 -cmd '.timeout 20000' a.db "INSERT INTO t VALUES($w*100+$i)"; done) &
            done
            wait
            sqlite3 a.db 'SELECT count(*), count(DISTINCT k) FROM t; PRAGMA integrity_check;'
            """)
        #expect(output.hasSuffix("30|30\nok\n"), "\(output)")
    }

    /// The kernel leaves it to the mount to clear set-ID bits when an unprivileged user changes the file.
    @Test(.enabled(if: geteuid() == 0), arguments: ["truncate -s 1 f", "printf x >> f"])
    func `a change by an unprivileged user clears set-user-ID`(change: String) throws {
        let bench = try Bench { $0.allowOther = true }
        let output = bench.succeed(
            """
            chmod 711 ..; chmod 755 .; printf data > f; chmod 6777 f; stat -c %a f
            setpriv --reuid 65534 --regid 65534 --clear-groups sh -c '\(change)'; stat -c %a f
            """)
        #expect(output == "6777\n777\n")
    }

    /// The mount answers for new files itself and asks the backing file for others.
    @Test(.enabled(if: geteuid() == 0)) func `capabilities are those of the backing file`() throws {
        let rule = try Rule(parsing: "getxattr path=refused -> EIO")
        let set = "setfattr -n security.capability -v 0x0100000201000000000000000000000000000000"
        let bench = try Bench(prepare: "set -e; : > old; \(set) old; : > bare") { $0.rules = [rule] }
        let output = bench.succeed(
            """
            has() { getfattr -n security.capability "$1" 2>&1 | grep -o 'No such attribute\\|Input/output\\|=0s.*'; }
            printf x > new; ln new link; has new; has old; has bare; \(set) new; has new; has link; mv new moved; has moved
            printf x >> link; has moved; setfattr -x security.capability old; has old; : > refused; has refused
            """)
        let (absent, given) = ("No such attribute", "=0sAQAAAgEAAAAAAAAAAAAAAAAAAAA=")
        let expected = [absent, given, absent, given, given, given, absent, absent, "Input/output"]
        #expect(output == expected.map { $0 + "\n" }.joined())
    }

    /// The descriptor table is reserved: growing it later costs milliseconds each time.
    @Test func `the descriptor table is reserved`() throws {
        // A mount has already raised the limit, so `prepareProcess` does not change it for parallel tests.
        let bench = try Bench()
        FaultMount.prepareProcess()
        var limits = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
        let size = Shell.run("awk '/FDSize/ { print $2 }' /proc/\(getpid())/status").output
        #expect(Int(size.dropLast()) ?? 0 >= min(5120, Int(clamping: limits.rlim_max)))
        withExtendedLifetime(bench) {}
    }

    @Test func `git, tar and cp work`() throws {
        let bench = try Bench()
        bench.succeed(
            """
            set -e
            export HOME=$PWD GIT_CONFIG_NOSYSTEM=1
            git init -q r; cd r; git config user.name n; git config user.email e
            for i in $(seq 60); do mkdir -p d$((i%7)); head -c $((i*137)) /dev/urandom > d$((i%7))/f$i; done
            ln -s d1/f1 link; git add -A; git commit -qm one; git gc -q; git fsck --strict
            mv d2 e2; git add -A; git commit -qm two; git checkout -q HEAD~1; git checkout -q -
            test -z "$(git status --porcelain)"
            cd ..; tar cf r.tar r; mkdir x; tar xf r.tar -C x; diff -r r x/r
            cp -a r y; diff -r r y; rm -rf r x; test ! -e r
            """)
    }
}
