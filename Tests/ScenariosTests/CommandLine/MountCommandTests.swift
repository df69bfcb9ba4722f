import Foundation
import Testing

/// A mount for any program, from the command line.
@Suite(.enabled(if: TestMachine.hasFUSE)) struct MountCommandTests {
    private let temporary: TemporaryDirectory
    private var mount: String { temporary.path + "/mnt" }
    private var store: String { temporary.path + "/store" }

    init() throws {
        temporary = try TemporaryDirectory()
        for name in ["mnt", "store"] {
            try FileManager.default.createDirectory(
                atPath: temporary.path + "/" + name, withIntermediateDirectories: false)
        }
    }

    private func run(_ arguments: String...) throws -> Faultline.Answer {
        try Faultline.run(arguments, directory: temporary.path)
    }

    /// One round of the row that mounts, cuts the power and mounts again, at three sizes of the file.
    @Test func `the cost of a crash cycle is measured, and what it left was validated`() throws {
        let answer = try run(
            "bench", "mount", "--directory", temporary.path, "--only", "crash-cycle", "--rounds", "1", "--json")
        #expect(answer.status == 0, "\(answer)")
        let report = try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any]
        let rows = try #require(report?["rows"] as? [[String: Any]])
        #expect(rows.count == 3)
        for row in rows {
            #expect((row["baselineValue"] as? Double ?? 0) > 0 && row["value"] as? Double != nil, "\(row)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: temporary.path).sorted() == ["mnt", "store"])
    }

    private func shell(_ script: String) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", "cd '\(temporary.path)'; exec 2>&1; \(script)"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: bytes, as: UTF8.self)
    }

    private func isMounted() throws -> Bool {
        try String(contentsOfFile: "/proc/self/mounts", encoding: .utf8).contains(mount)
    }

    /// The process that serves the mount.
    private func server() throws -> Int32? {
        let lines = try String(contentsOfFile: "/proc/self/mounts", encoding: .utf8).split(separator: "\n")
        let source = lines.first { $0.contains(mount) }?.split(separator: " ").first
        return source?.split(separator: "-").last.flatMap { Int32($0) }
    }

    /// Kills the process that serves the mount, and waits until it is dead.
    private func killServer() throws {
        let server = try #require(try server())
        kill(server, SIGKILL)
        while let stat = try? String(contentsOfFile: "/proc/\(server)/stat", encoding: .utf8),
            !stat.contains(") Z "), !stat.contains(") X ")
        {
            usleep(1000)
        }
    }

    private func cleanUp() { _ = try? run("unmount", "mnt") }

    @Test func `a mount is ready when the command returns, fails as it was told, and an unmount keeps everything`()
        throws
    {
        defer { cleanUp() }
        let mounted = try run("mount", "store", "mnt", "--rule", "write path=*.bad nth=1 -> EIO", "--record", "t.trace")
        #expect(mounted.status == 0, "\(mounted)")
        #expect(try isMounted())
        let said = try shell("echo kept > mnt/a; sync mnt/a; echo x > mnt/c.bad; cat mnt/.faultline/rules")
        #expect(said.contains("/O error") || said.contains("Input/output error"), "\(said)")
        #expect(said.contains("matched 1  fired 1"), "\(said)")
        #expect(try shell("echo lost > mnt/b; cat mnt/.faultline/unsynced").contains("name b"))
        // Rules come and go while it is mounted.
        let added = try shell("echo 'add read path=a nth=1 -> EIO' > mnt/.faultline/control; cat mnt/a; cat mnt/a")
        #expect(added.contains("Input/output error") && added.hasSuffix("kept\n"), "\(added)")
        #expect(try run("unmount", "mnt").status == 0)
        #expect(try !isMounted())
        #expect(try shell("ls -A store; cat store/a store/b") == "a\nb\nc.bad\nkept\nlost\n")
        let trace = try run("trace", "show", "t.trace")
        #expect(trace.status == 0 && trace.output.contains("fault write path=*.bad nth=1 -> EIO"), "\(trace)")
    }

    @Test func `a crash leaves in the backing directory what was synced`() throws {
        defer { cleanUp() }
        #expect(try run("mount", "store", "mnt").status == 0)
        let said = try shell(
            """
            echo kept > mnt/a; sync mnt/a; echo lost > mnt/b
            echo 'effect=drop seed=1' > mnt/.faultline/crash; cat mnt/.faultline/crash; cat mnt/a
            """)
        #expect(said.contains("lost: ") && said.contains("name b") && said.contains("Input/output error"), "\(said)")
        let ended = try run("unmount", "mnt")
        #expect(ended.status == 0, "\(ended)")
        let left = try shell("ls -A store; cat store/a")
        #expect(left == "a\nkept\n", "\(left)\n\(said)\n\(ended)")
    }

    /// A line without its newline, in two writes with either half a write of its own, and one of three megabytes.
    @Test func `an oracle line is judged by its grammar when its write returns, whole or in pieces`() throws {
        defer { cleanUp() }
        #expect(try run("mount", "store", "mnt", "--oracle", "o.jsonl").status == 0)
        let begin = #"{"op":"put","seq":1,"key":"aw==","payload":"","phase":"begin"}"#
        let value = String(repeating: "A", count: 3 << 20)
        try value.write(toFile: temporary.path + "/value", atomically: true, encoding: .utf8)
        let said = try shell(
            """
            cd mnt/.faultline
            printf '\(begin)' > oracle || echo 1
            printf '\(begin.replacing("phase", with: "phrase"))' > oracle || echo refused; tail -1 status
            { printf '{"op":"put","seq":1,'; printf '"key":"aw==","payload":""}\\n'; } > oracle || echo 2
            printf '{"op":"restart"' > oracle; printf '}' > oracle || echo 3
            { printf '{"op":"put","seq":2,"key":"aw==","payload":"'; cat ../../value; printf '","phase":"begin"}'; } > oracle
            """)
        #expect(said.contains("refused") && !said.contains("1\n2") && !said.contains("\n3"), "\(said)")
        #expect(
            said.contains("oracle-refused line 2, column 48: expected op, seq, key, payload, phase or txn"), "\(said)")
        #expect(try run("unmount", "mnt").status == 0)
        let lines = try String(contentsOfFile: temporary.path + "/o.jsonl", encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.map(\.count) == [62, 46, 16, 62 + value.count, 0])
        #expect(lines.first.map(String.init) == begin && lines[2] == #"{"op":"restart"}"#)
    }

    @Test func `a killed server hinders neither the next mount nor an unmount, and cleanup takes away what it left`()
        throws
    {
        defer { cleanUp() }
        #expect(try run("mount", "store", "mnt").status == 0)
        _ = try shell("echo kept > mnt/a; sync mnt/a")
        try killServer()
        let again = try run("mount", "store", "mnt")
        #expect(again.status == 0, "\(again)")
        #expect(try shell("cat mnt/a") == "kept\n")
        try killServer()
        let ended = try run("unmount", "mnt")
        #expect(ended.status == 0 && ended.error.contains("had been killed"), "\(ended)")
        #expect(try !isMounted())
        #expect(try run("mount", "store", "mnt").status == 0)
        try killServer()
        // Others may be cleaning up at the same time: what counts is that it is gone.
        _ = try run("cleanup")
        #expect(try !isMounted())
        #expect(try shell("ls -A store") == "a\n")
    }

    @Test(arguments: [
        (["mount", "nowhere", "mnt"], "nowhere: No such file or directory"),
        (["mount", "store", "nowhere"], "nowhere: No such file or directory"),
        (["mount", "store", "mnt", "--rule", "bogus"], "line 1, column 1: expected an operation"),
        (["mount", "store", "mnt", "--profile", "block"], "--profile block is for block devices"),
        (["mount", "store", "mnt", "--record", "t", "--no-record"], "exclude each other"),
        (["unmount", "store"], "no mount of faultline is there"),
    ])
    func `what cannot be mounted is said, and nothing is left`(_ arguments: [String], _ says: String) throws {
        let answer = try Faultline.run(arguments, directory: temporary.path)
        #expect(answer.status == 2 && answer.error.contains(says), "\(answer)")
        #expect(try !isMounted())
        #expect(try shell("ls -A store mnt").filter { $0 != "\n" } == "mnt:store:")
    }

    /// One file by any of its names is one output, and no line goes to what is no oracle or is read.
    @Test(arguments: [
        (["--record", "t", "--oracle", "t"], "another output of this command goes there, too"),
        (["--record", "t", "--oracle", "./mnt/../t"], "another output of this command goes there, too"),
        (["--record", "t", "--oracle", "link"], "another output of this command goes there, too"),
        (["--oracle", "old.trace"], "old.trace: not an oracle, so that no line is appended: line 1"),
        (["--rules", "r", "--oracle", "r"], "this command reads it"),
        (["--replay", "empty", "--oracle", "hard"], "this command reads it"),
        (["--rules", "r", "--record", "r"], "r: open: File exists"),
    ])
    func `outputs that would harm each other or an input are refused`(_ options: [String], _ says: String) throws {
        defer { cleanUp() }
        let prepared = try shell(
            """
            ln -s t link; : > empty; ln empty hard; echo '# none' > r; printf 'FLTRACE\\001\\377\\n' > old.trace
            cat r old.trace | cksum
            """)
        let answer = try Faultline.run(["mount", "store", "mnt"] + options, directory: temporary.path)
        #expect(answer.status == 2 && answer.error.contains(says), "\(answer)")
        #expect(try !isMounted())
        #expect(try shell("cat r old.trace | cksum") == prepared)
        #expect(try shell("ls") == "empty\nhard\nlink\nmnt\nold.trace\nr\nstore\n")
    }

    @Test(.timeLimit(.minutes(5)), arguments: ["--rules", "--replay"])
    func `a FIFO without a writer is refused, and a pipe is read`(option: String) throws {
        defer { cleanUp() }
        _ = try shell("mkfifo fifo")
        let answer = try run("mount", "store", "mnt", option, "fifo")
        #expect(answer.status == 2 && answer.error.contains("fifo: a FIFO that nobody writes to"), "\(answer)")
        #expect(try !isMounted())
        let line = option == "--rules" ? "mkdir nth=1 -> EIO" : "1 mkdir path=d -> EIO"
        let writer = Process()
        writer.executableURL = URL(filePath: "/bin/sh")
        // It keeps its end open for a while: the reader waits for its end.
        writer.arguments = ["-c", "exec 3<> '\(temporary.path)/fifo'; echo '\(line)' >&3; sleep 1"]
        try writer.run()
        defer { writer.waitUntilExit() }
        usleep(300_000)
        let mounted = try run("mount", "store", "mnt", option, "fifo")
        #expect(mounted.status == 0, "\(mounted)")
        #expect(try shell("mkdir mnt/d; ls mnt").contains("rror"))
    }
}
