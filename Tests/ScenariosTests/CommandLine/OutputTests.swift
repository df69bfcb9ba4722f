import Bytes
import Foundation
import Testing

/// What commands do to the paths that they are told to write to.
@Suite(.enabled(if: Faultline.path != nil, "the program was not built beside the tests"))
struct OutputTests {
    private let temporary: TemporaryDirectory

    /// Of the memory devices: 3 is null, 7 is full.
    private static func device(_ minor: dev_t) -> dev_t { 1 << 8 | minor }

    init() throws { temporary = try TemporaryDirectory() }

    private func run(_ arguments: String..., environment: [String: String] = [:]) throws -> Faultline.Answer {
        try Faultline.run(arguments, directory: temporary.path, environment: environment)
    }

    private func path(_ name: String) -> String { temporary.path + "/" + name }
    private func text(_ name: String) throws -> String { try String(contentsOfFile: path(name), encoding: .utf8) }
    private func write(_ text: String, _ name: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path(name)))
    }

    private func isDevice(_ name: String, _ minor: dev_t) -> Bool {
        var status = stat()
        return lstat(path(name), &status) == 0 && status.st_mode & S_IFMT == S_IFCHR
            && status.st_rdev == Self.device(minor)
    }

    /// Devices of our own: a failure of these tests must not cost the machine its /dev/full.
    private func makeDevices() throws {
        try #require(mknod(path("full"), S_IFCHR | 0o600, Self.device(7)) == 0)
        try #require(mknod(path("null"), S_IFCHR | 0o600, Self.device(3)) == 0)
    }

    /// What /dev/stdout is, in a place where it may be lost.
    private func linkStandardOutput() throws { try #require(symlink("/proc/self/fd/1", path("stdout")) == 0) }

    private func smallMatrix() throws {
        try write("cells:\n  - {target: engine, scenario: smoke, ops: 5}\n", "m.yaml")
    }

    // MARK: Devices, pipes, descriptors

    @Test(.enabled(if: geteuid() == 0, "only root makes devices"))
    func `an export to a device goes through it, and the device stays`() throws {
        try makeDevices()
        #expect(try run("store", "put", "s", "k", "v").status == 0)
        let full = try run("store", "export", "s", "full")
        #expect(full.status == 2 && full.error == "error: cannot write full: No space left on device\n", "\(full)")
        #expect(try run("store", "export", "s", "null").status == 0)
        #expect(isDevice("full", 7) && isDevice("null", 3))
    }

    @Test(.enabled(if: geteuid() == 0, "only root makes devices"))
    func `the reports of a matrix go through devices, and its results are kept when that fails`() throws {
        try makeDevices()
        try smallMatrix()
        let full = try run("matrix", "m.yaml", "--junit", "full")
        #expect(full.status == 2 && full.output.contains("1 of 1 cell came out as expected"), "\(full)")
        #expect(full.error.contains("cannot write full: No space left on device; the results are in"), "\(full)")
        #expect(full.error.contains("matrix m.yaml --junit full --resume faultline-runs/matrix-1.jsonl"), "\(full)")
        let summary = try run(
            "matrix", "m.yaml", "--github-summary", environment: ["GITHUB_STEP_SUMMARY": path("full")])
        #expect(summary.status == 2 && summary.error.contains("No space left on device"), "\(summary)")
        #expect(try run("merge", "faultline-runs/matrix-1.jsonl", "--junit", "null").status == 0)
        #expect(isDevice("full", 7) && isDevice("null", 3))
    }

    @Test func `an export to standard output is nothing but the export`() throws {
        #expect(try run("store", "put", "s", "k", "v").status == 0)
        try linkStandardOutput()
        for name in ["-", "stdout", "/proc/self/fd/1"] {
            let answer = try run("store", "export", "s", name)
            #expect(answer.output == "{\"key_b64\":\"aw==\",\"value_b64\":\"dg==\"}\n", "\(name)")
            #expect(answer.error == "1 key\n" && answer.status == 0)
        }
    }

    @Test func `JUnit on standard output is nothing but XML`() throws {
        try smallMatrix()
        let answer = try run("matrix", "m.yaml", "--junit", "-")
        #expect(answer.output.hasPrefix("<?xml") && answer.output.hasSuffix("</testsuite>\n"), "\(answer)")
        #expect(answer.error.contains("1 of 1 cell came out as expected"), "\(answer)")
        try linkStandardOutput()
        let both = try run("matrix", "m.yaml", "--junit", "stdout", "--json")
        #expect(both.status == 2 && both.error.contains("both go to standard output"), "\(both)")
    }

    @Test(.timeLimit(.minutes(5))) func `a FIFO that nobody reads is refused before anything is run`() throws {
        try smallMatrix()
        #expect(mkfifo(path("fifo"), 0o600) == 0)
        let answer = try run("matrix", "m.yaml", "--junit", "fifo")
        #expect(answer.status == 2 && answer.error.contains("nothing reads from it"), "\(answer)")
        #expect(!FileManager.default.fileExists(atPath: path("faultline-runs")))
    }

    /// The number of a closed standard output would be that of the next file to be opened: here, of a segment.
    @Test func `what is printed to a closed standard output is no part of any file`() throws {
        for value in 1...3 { #expect(try run("store", "put", "s", "k", "\(value)").status == 0) }
        let shell = try Faultline.run(
            ["-c", #""$0" store compact s >&-; echo "status $?""#, try #require(Faultline.path)],
            directory: temporary.path, of: "/bin/sh")
        #expect(shell.output == "status 2\n" && shell.error.contains("cannot write standard output"), "\(shell)")
        let verified = try run("store", "verify", "s")
        #expect(verified.status == 0 && !verified.output.contains("torn"), "\(verified)")
        #expect(try run("store", "get", "s", "k").output == "3")
    }

    // MARK: Before the work

    @Test(arguments: [
        ("none/j.xml", "cannot write none/j.xml: the directory none: No such file or directory"),
        ("dir", "cannot write dir: it is a directory"), ("dir/", "cannot write dir/: it is a directory"),
        ("m.yaml", "cannot write m.yaml: this command reads it"),
        ("m.yaml/j.xml", "cannot write m.yaml/j.xml: the directory m.yaml: Not a directory"),
        ("loop", "cannot write loop: Too many levels of symbolic links"),
    ])
    func `a report that cannot be written is said before the run`(junit: String, error: String) throws {
        try smallMatrix()
        mkdir(path("dir"), 0o700)
        symlink("loop", path("loop"))
        let answer = try run("matrix", "m.yaml", "--junit", junit)
        #expect(answer.status == 2 && answer.error == "error: \(error)\n", "\(answer)")
        #expect(!FileManager.default.fileExists(atPath: path("faultline-runs")), "nothing was run")
        let summary = try run("matrix", "m.yaml", "--github-summary", environment: ["GITHUB_STEP_SUMMARY": junit])
        #expect(summary.status == 2 && summary.error == "error: \(error)\n", "\(summary)")
        #expect(try text("m.yaml").hasPrefix("cells:"))
    }

    @Test func `two reports at one path, and a report over the results that it is made of, are refused`() throws {
        try smallMatrix()
        let twice = try run(
            "matrix", "m.yaml", "--junit", "r", "--github-summary", environment: ["GITHUB_STEP_SUMMARY": path("r")])
        #expect(twice.status == 2 && twice.error.contains("another output of this command goes there, too"), "\(twice)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: temporary.path) == ["m.yaml"])
        #expect(try run("matrix", "m.yaml").status == 0)
        let results = "faultline-runs/matrix-1.jsonl"
        let before = try text(results)
        for answer in [
            try run("merge", results, "--junit", results),
            try run("matrix", "m.yaml", "--resume", results, "--junit", results),
        ] {
            #expect(answer.status == 2 && answer.error.contains("this command reads it"), "\(answer)")
        }
        #expect(try text(results) == before)
    }

    @Test func `a report in place of the log of results, or in one file or pipe with another, is refused`() throws {
        try smallMatrix()
        try FileManager.default.createDirectory(atPath: path("faultline-runs"), withIntermediateDirectories: false)
        let log = try run("matrix", "m.yaml", "--junit", "faultline-runs/matrix-1.jsonl")
        #expect(log.status == 2 && log.error.contains("another output of this command goes there, too"), "\(log)")
        #expect(!FileManager.default.fileExists(atPath: path("faultline-runs/matrix-1.jsonl")))
        let pipe = try run(
            "matrix", "m.yaml", "--junit", "-", "--github-summary",
            environment: ["GITHUB_STEP_SUMMARY": "/dev/stdout"])
        #expect(pipe.status == 2 && pipe.error.contains("both go to standard output"), "\(pipe)")
        let table = try Faultline.run(
            ["-c", "'\(Faultline.path!)' matrix m.yaml --junit out > out"], directory: temporary.path, of: "/bin/sh")
        #expect(table.status == 2 && table.error.contains("another output of this command goes there, too"), "\(table)")
    }

    @Test func `a file beyond the limit of ulimit is an error with its path`() throws {
        let program = Faultline.path!
        let value = String(repeating: "v", count: 60_000)
        let answer = try Faultline.run(
            ["-c", "ulimit -f 4; '\(program)' store put s k \(value)"], directory: temporary.path, of: "/bin/sh")
        #expect(answer.status == 2 && answer.error.contains(String(cString: strerror(EFBIG))), "\(answer)")
    }

    @Test func `a summary is added to what is there`() throws {
        try smallMatrix()
        try write("before\n", "summary")
        let answer = try run(
            "matrix", "m.yaml", "--github-summary", environment: ["GITHUB_STEP_SUMMARY": path("summary")])
        #expect(answer.status == 0)
        #expect(try text("summary").hasPrefix("before\n### Faultline: pass\n"))
    }

    // MARK: All or nothing

    @Test func `what a command could not make is not there, and it can be tried again`() throws {
        let large = String(repeating: "k", count: 70_000)
        let put = try run("store", "put", "a/b/s", large, "v")
        #expect(put.status == 2 && !FileManager.default.fileExists(atPath: path("a")), "\(put)")
        #expect(try run("store", "put", "a/b/s", "k", "v").status == 0)
        #expect(try run("store", "export", "a/b/s", "x/y/a/b/").status == 2)
        #expect(!FileManager.default.fileExists(atPath: path("x")))
        mkdir(path("empty"), 0o700)
        for into in ["c/d", "empty"] {
            let full = try withoutRoom("store", "compact", "a/b/s", "--into", into)
            #expect(full.status == 2 && full.error.contains("File too large"), "\(full)")
            #expect(FileManager.default.fileExists(atPath: path("c")) == (into == "empty"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: path("empty")) == [])
            #expect(try run("store", "compact", "a/b/s", "--into", into).status == 0)
            #expect(try run("store", "get", into, "k").output == "v")
        }
        let fresh = try withoutRoom("store", "put", "f/s", "k", "v")
        #expect(fresh.status == 2 && !FileManager.default.fileExists(atPath: path("f")), "\(fresh)")
        let export = try withoutRoom("store", "export", "a/b/s", "g/h/out")
        #expect(export.status == 0, "a short file fits")
    }

    /// Runs the program where no file may become longer than a kibibyte or two: as on a disk that is full.
    private func withoutRoom(_ arguments: String...) throws -> Faultline.Answer {
        let script = #"trap '' XFSZ; ulimit -f 2; exec "$0" "$@""#
        return try Faultline.run(
            ["-c", script, try #require(Faultline.path)] + arguments, directory: temporary.path, of: "/bin/sh")
    }

    @Test func `an export among the files of the store is refused`() throws {
        #expect(try run("store", "put", "s", "k", "v").status == 0)
        for name in ["s/0000-0000000001.log", "s/new", "./s/../s/new"] {
            let answer = try run("store", "export", "s", name)
            #expect(answer.status == 2 && answer.error.contains("it is inside the input directory s"), "\(answer)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: path("s")) == ["0000-0000000001.log"])
        #expect(try run("store", "get", "s", "k").output == "v")
    }

    @Test func `a run whose directory cannot be made leaves no directory`() throws {
        try write("", "file")
        let answer = try run("run", "engine", "--scenario", "smoke", "--ops", "5", "--out", "file/runs")
        #expect(answer.status == 2 && answer.output.contains("cannot write file/runs: Not a directory"), "\(answer)")
        #expect(try run("run", "engine", "--scenario", "smoke", "--ops", "5", "--out", "deep/er").status == 0)
    }
}
