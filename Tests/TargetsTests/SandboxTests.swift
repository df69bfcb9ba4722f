import Bytes
import Glibc
import Testing

@testable import Targets

/// The abilities of a sandboxed process, with each combination of layers on this machine.
@Suite struct SandboxTests {
    /// Directories for a script: `in` is writable, `out` must not change.
    private final class Stage {
        let folder: TemporaryFolder
        let inside: ByteString
        let outside: ByteString

        init() throws {
            folder = try TemporaryFolder()
            inside = folder.folder("in")
            outside = folder.folder("out")
            try folder.write("out/file", Array("precious".utf8))
            _ = folder.folder("out/sub")
            _ = outside.appending(component: "fifo").withCString { mkfifo($0, 0o600) }
        }

        /// Runs a script in a sandbox, in the inside directory. `$OUT` is the outside directory.
        func run(_ script: String, _ layers: SandboxLayers) throws -> (termination: Termination, said: String) {
            var command = shell("cd ../in && \(script)")
            command.directory = outside
            command.environment["OUT"] = outside
            command.environment["LC_ALL"] = "C"
            command.sandbox = try Sandbox(inside, layers: layers)
            let (termination, process) = try ProcessRunner.run(command, timeoutMilliseconds: 20_000)
            return (termination, process.standardError.said)
        }

        /// A snapshot of the outside directory.
        func picture() throws -> [UInt8] {
            let list = Command(["sh", "-c", "cd $0 && stat -c '%n %f %s %u %g %h %Y %Z' . * && cat file", outside])
            var command = list
            command.output = .pipe
            let process = try ProcessRunner.start(command)
            let shown = try readAll(process)
            _ = try process.waitOrKill(timeoutMilliseconds: 20_000)
            return shown
        }
    }

    /// All combinations that work here; as root with both kinds of namespace.
    static let combinations: [SandboxLayers] = {
        let here = SandboxTrial.here.layers
        let namespaces: [SandboxLayers.Namespace] = here.namespace == .mount ? [.mount, .user] : [.user]
        let whole = here.namespace == nil ? [] : namespaces.map { SandboxLayers(namespace: $0, landlock: 0) }
        guard here.landlock > 0 else { return whole }
        return whole + whole.map { SandboxLayers(namespace: $0.namespace, landlock: here.landlock) } + [
            SandboxLayers(namespace: nil, landlock: here.landlock)
        ]
    }()

    enum Needs: Sendable {
        case anyLayer, namespace, landlock
        case root
    }

    /// Escape attempts: the preparation of the directory, and the action of a store or attacker.
    static let escapes: [(what: String, script: String, needs: Needs)] = [
        ("an absolute link", "ln -s $OUT/file a; echo x > a", .anyLayer),
        ("an absolute link, appended to", "ln -s $OUT/file a; echo x >> a", .anyLayer),
        ("a link that climbs", "ln -s ../out/file a; echo x > a", .anyLayer),
        ("a link to a directory", "ln -s $OUT d; echo x > d/new", .anyLayer),
        ("a file removed through a link", "ln -s $OUT d; rm -f d/file", .anyLayer),
        ("a directory made through a link", "ln -s $OUT d; mkdir d/new", .anyLayer),
        ("a directory removed through a link", "ln -s $OUT d; rmdir d/sub", .anyLayer),
        ("a link in the middle of a path", "mkdir a; ln -s ../../out a/b; echo x > a/b/sub/new", .anyLayer),
        ("a chain of links", "ln -s $OUT/file z; ln -s z y; ln -s y x; echo x > x", .anyLayer),
        ("a link to a directory, then one that climbs", "ln -s ../out d; ln -s d/../out/file a; echo x > a", .anyLayer),
        ("a file moved out", "echo x > a; ln -s $OUT d; mv a d/new", .anyLayer),
        ("a file exchanged", "echo x > a; ln -s $OUT d; mv -f a d/file", .anyLayer),
        ("a hard link out", "echo x > a; ln a $OUT/new", .anyLayer),
        ("a hard link in", "ln $OUT/file a && echo x > a", .anyLayer),
        ("a truncation", "ln -s $OUT/file a; truncate -s 0 a", .anyLayer),
        ("a link to /proc/self/cwd of the parent", "echo x > /proc/$PPID/root$OUT/file", .anyLayer),
        ("a new mode", "ln -s $OUT/file a; chmod 0777 a", .namespace),
        ("another time", "ln -s $OUT/file a; touch -c -d 2001-01-01 a", .namespace),
        ("another owner", "ln -s $OUT/file a; chown 1:1 a", .namespace),
        ("a device through a link", "ln -s $OUT/device a; echo x > a", .root),
        ("a device of its own", "mknod device c 1 3", .root),
        ("a remount", "mount -o remount,rw / || mount -o remount,rw,bind /", .anyLayer),
        ("an unmount", "cd / && umount $OLDPWD", .namespace),
        (
            "a namespace within the sandbox", "unshare -Urm sh -c 'mount -o remount,rw,bind / && echo x > $OUT/new'",
            .anyLayer
        ),
        ("a switch of the kernel", "cat /proc/sys/vm/swappiness > /proc/sys/vm/swappiness", .anyLayer),
        ("a FIFO through a link", "ln -s $OUT/fifo a; timeout 5 sh -c 'echo x 1<> a'", .landlock),
    ]

    @Test(arguments: escapes.indices, combinations)
    func `nothing outside changes`(index: Int, layers: SandboxLayers) throws {
        let (what, script, needs) = Self.escapes[index]
        switch needs {
        case .anyLayer: break
        case .namespace: guard layers.isWhole else { return }
        case .landlock: guard layers.landlock > 0 else { return }
        case .root: guard geteuid() == 0, layers.isWhole else { return }
        }
        let stage = try Stage()
        if geteuid() == 0 {
            // The test's own null device.
            _ = stage.outside.appending(component: "device").withCString { mknod($0, S_IFCHR | 0o666, 1 << 8 | 3) }
        }
        let before = try stage.picture()
        let (termination, said) = try stage.run(script, layers)
        #expect(!termination.isSuccess, "\(what): \(said)")
        #expect(try stage.picture() == before, "\(what): \(said)")
    }

    static let deeds = [
        "echo x > a; mv a b; ln b c; ln -s b d; echo y > d; chmod 0600 b; test $(cat c) = y",
        "mkdir p q; echo x > p/a; mv p/a q/b; ln q/b p/c; mv q p; rm -r p",
        "mkfifo f; (echo x > f &) && test $(cat f) = x",
        "echo x > /dev/null; head -c 4 /dev/urandom > r; test $(wc -c < r) = 4; head -c 3 /dev/zero > z",
        "file=$(mktemp) && echo x > $file && case $file in $TMPDIR/*) true;; *) false;; esac",
        "sleep 5 & kill $!",
        "test $(cat $OUT/file) = precious && test -r /proc/self/status",
        "exec 3<> a; echo x >&3; exec 4< /proc/self/fd/3; read line <&4; test $line = x",
    ]

    @Test(arguments: deeds, combinations)
    func `a store can do what it needs in its directory`(script: String, layers: SandboxLayers) throws {
        let (termination, said) = try Stage().run("set -e; \(script)", layers)
        #expect(termination.isSuccess, "\(said)")
    }

    /// /tmp and /dev/shm are hidden, unless the command needs them.
    @Test(arguments: combinations.filter(\.isWhole))
    func `shared places are private`(layers: SandboxLayers) throws {
        let (program, folder) = (try TemporaryFolder(), try TemporaryFolder(in: "/dev/shm"))
        // In a file, since paths in arguments count as needed.
        let script = """
            set -e; cd "$FAULTLINE_DIR"
            for place in /dev/shm /var/tmp; do : > $place/faultline-sandbox-test; done
            ls /dev/shm /dev/shm/faultline-targets-* > seen
            """
        try program.write("script", Array(script.utf8))
        var command = Command(["sh", program.file("script")])
        command.environment["FAULTLINE_DIR"] = folder.folder("in")
        command.sandbox = try Sandbox(folder.file("in"), layers: layers)
        let (termination, process) = try ProcessRunner.run(command, timeoutMilliseconds: 20_000)
        #expect(termination.isSuccess, "\(process.standardError.said)")
        let name = String("\(folder.path)".dropFirst("/dev/shm/".count))
        let seen = "/dev/shm:\nfaultline-sandbox-test\n\(name)\n\n/dev/shm/\(name):\nin\n"
        #expect(String(decoding: try folder.read("in/seen"), as: UTF8.self) == seen)
        for place in ["/dev/shm", "/var/tmp"] { #expect(access("\(place)/faultline-sandbox-test", F_OK) != 0) }
    }

    @Test(.enabled(if: SandboxTrial.here.layers.landlock >= 6, "this kernel's Landlock does not confine signals"))
    func `a process id in a file reaches no process outside`() throws {
        let victim = try ProcessRunner.start(shell("sleep 100"))
        let stage = try Stage()
        let (termination, said) = try stage.run("kill \(victim.processID)", SandboxTrial.here.layers)
        #expect(!termination.isSuccess, "\(said)")
        #expect(isAlive(victim.processID))
        try victim.killTree()
    }

    /// The starter must be able to find and end processes in the sandbox.
    @Test(arguments: combinations) func `everything in the sandbox is ended with it`(layers: SandboxLayers) throws {
        let stage = try Stage()
        var command = shell("cd ../in; (setsid sh -c 'echo $$ > pid; sleep 1000' &); sleep 1000")
        command.directory = stage.outside
        command.sandbox = try Sandbox(stage.inside, layers: layers)
        let process = try ProcessRunner.start(command)
        let daemon = try #require(try stage.folder.eventually { numbers(try? stage.folder.read("in/pid")).first })
        #expect(isAlive(daemon))
        #expect(ProcessTable.environmentValue(ProcessFamily.variable, of: daemon) != nil)
        try process.killTree()
        #expect(!isAlive(daemon))
    }

    /// A sandboxed process may prepare an attack on the next one, since it can write where that one's directories are.
    @Test(arguments: combinations, ["in/.sandbox/tmp", "in/.sandbox"])
    func `a link in place of a directory of the sandbox's own leads nowhere`(
        _ layers: SandboxLayers, _ replaced: String
    ) throws {
        let stage = try Stage()
        for name in ["tmp", "shm"] as [ByteString] {
            _ = stage.outside.appending(component: name).withCString { mkdir($0, 0o700) }
        }
        let sandbox = try Sandbox(stage.inside, layers: layers)
        var before = shell("mv $0 ../moved; ln -s $OUT $0")
        before.arguments.append(stage.folder.path.appending(component: ByteString(replaced)))
        before.directory = stage.inside
        before.environment["OUT"] = stage.outside
        _ = try ProcessRunner.run(before, timeoutMilliseconds: 20_000)
        let picture = try stage.picture()
        var command = shell("echo x > /tmp/new; echo x > $TMPDIR/new; echo x > $TMPDIR/tmp/new; :")
        command.directory = stage.inside
        command.sandbox = sandbox
        #expect(throws: TargetError.self) { try ProcessRunner.run(command, timeoutMilliseconds: 20_000) }
        #expect(try stage.picture() == picture)
    }

    @Test func `a sandbox of a directory that is not there is an error`() throws {
        #expect(throws: TargetError.system(call: "realpath", path: "/nowhere", errno: ENOENT)) {
            try Sandbox("/nowhere", layers: SandboxTrial.here.layers)
        }
    }
}
