import FaultFS
import Glibc
import Testing

/// Ordinary programs find an ordinary directory.
@Suite(.enabled(if: Bench.canMount), .serialized) struct ProgramTests {
    @Test(arguments: ["delete", "truncate", "persist", "memory", "wal"])
    func sqliteWorks(journalMode: String) throws {
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

    /// Two processes at once: WAL's shared memory is a shared mapping of a file in the mount.
    @Test func sqliteSharesItsWalIndexBetweenProcesses() throws {
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

    /// The kernel leaves it to the mount: who may not set these bits takes them away by changing the file.
    @Test(.enabled(if: geteuid() == 0), arguments: ["truncate -s 1 f", "printf x >> f"])
    func aStrangersChangeTakesSetUserIDAway(change: String) throws {
        let bench = try Bench { $0.allowOther = true }
        let output = bench.succeed(
            """
            chmod 711 ..; chmod 755 .; printf data > f; chmod 6777 f; stat -c %a f
            setpriv --reuid 65534 --regid 65534 --clear-groups sh -c '\(change)'; stat -c %a f
            """)
        #expect(output == "6777\n777\n")
    }

    /// Asked of the mount alone for a file that never had any.
    @Test(.enabled(if: geteuid() == 0)) func capabilitiesAreThoseOfTheFileBelow() throws {
        let set = "setfattr -n security.capability -v 0x0100000201000000000000000000000000000000"
        let bench = try Bench(prepare: ": > old; \(set) old")
        let output = bench.succeed(
            """
            has() { getfattr -d -m security.capability "$@" | grep -c =0s; }
            printf x > new; has new; has old; \(set) new; has new; has ../backing/new
            printf x >> new; has new; setfattr -x security.capability old; has old; true
            """)
        #expect(output == "0\n1\n1\n1\n0\n0\n")
    }

    /// The first thousand files cost no more than those that follow: a table that grows later costs milliseconds each time.
    @Test func theTableOfDescriptorsIsReserved() throws {
        var limits = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
        FaultMount.prepareProcess()
        var after = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &after)
        #expect(after.rlim_cur == limits.rlim_cur)
        let size = Shell.run("awk '/FDSize/ { print $2 }' /proc/\(getpid())/status").output
        #expect(Int(size.dropLast()) ?? 0 >= min(5120, Int(clamping: limits.rlim_max)))
    }

    @Test func gitAndTarAndCpWork() throws {
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
