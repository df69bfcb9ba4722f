import Bytes
import Foundation
import Machine
import Model
import Storage
import TestDevices
import Testing

@Suite(.enabled(if: Faultline.path != nil, "the program was not built beside the tests"))
struct CommandLineTests {
    private let temporary: TemporaryDirectory

    init() throws { temporary = try TemporaryDirectory() }

    private func run(_ arguments: String...) throws -> Faultline.Answer {
        try Faultline.run(arguments, directory: temporary.path)
    }

    /// A trace of a file that is written, synced and acknowledged.
    private func trace(_ name: String, inode: UInt64 = 2, data: String = "hello", isWhole: Bool = true) throws -> String
    {
        var writer = try TraceWriter(creating: ByteString(temporary.path + "/" + name))
        let file = InodeID(inode)
        try writer.append(
            .operation(
                Operation(
                    id: OperationID(1),
                    .create(file, .regular, Attributes(mode: 0o600), at: DirectoryEntry(.root, ByteString([97, 0xFF]))))
            ))
        let write = Change.write(
            file, offsetBytes: 0, data: Payload(offsetBytes: 0, countBytes: UInt64(data.utf8.count)))
        _ = try Array(data.utf8).withUnsafeBytes {
            try writer.append(.operation(Operation(id: OperationID(2), write, process: Int32(inode))), data: $0)
        }
        try writer.append(.barrierBegan(OperationID(3), .fsync(file), process: 1))
        try writer.append(.barrierEnded(OperationID(3), errno: 0))
        let line = #"{"op":"put","seq":7,"key":"aw==","payload":"AQI="}"#
        _ = try Array(line.utf8).withUnsafeBytes { try writer.append(oracleLine: $0) }
        if isWhole { try writer.finish() } else { try writer.flush() }
        return name
    }

    @Test(arguments: [
        ["bogus"], ["trace"] + ["show"], ["trace", "show", "x", "--from", "0"], ["trace", "show", "x", "--limit=-1"],
        ["trace", "show", "x", "--data"], ["doctor", "--nonsense"], ["trace", "show", "is-not-there"],
        ["trace", "stats", "/dev/null"], ["trace", "diff", "only-one"], ["replay", "is-not-there"],
        ["explore", "engine", "--rule", "fsync -> crash"], ["explore", "engine", "--budget", "1x"],
    ])
    func `what cannot be done exits with 2 and says why on standard error`(arguments: [String]) throws {
        let answer = try Faultline.run(arguments, directory: temporary.path)
        #expect(answer.status == 2)
        #expect(answer.output == "")
        #expect(answer.error.hasPrefix("error: ") && answer.error.count > 17, "\(answer.error)")
    }

    @Test(arguments: [["--help"], ["help", "trace"], ["--version"], [], ["trace", "show", "--help"]])
    func `help goes to standard output and is no error`(arguments: [String]) throws {
        let answer = try Faultline.run(arguments, directory: temporary.path)
        #expect(answer.status == 0)
        #expect(answer.output.contains("faultline") || answer.output.contains("OVERVIEW"))
        #expect(answer.error == "")
    }

    @Test func `show tells the events in order`() throws {
        let answer = try run("trace", "show", try trace("t"))
        #expect(
            answer.output == """
                      1  op 1       create /a\\xff 0600 owner 0:0
                      2  op 2       write /a\\xff [0, +5)
                      3  op 3       fsync /a\\xff
                      4  op 3       synced
                      5             oracle line 1: put k, 2 bytes: acknowledged

                """)
        #expect(answer.status == 0)
        #expect(answer.error == "")
    }

    @Test func `show gives a range of events as JSONL, with data on request`() throws {
        let answer = try run("trace", "show", try trace("t"), "--json", "--data", "--from", "2", "--limit", "1")
        #expect(
            answer.output
                == #"{"countBytes":5,"data":"aGVsbG8=","offsetBytes":0,"op":2,"path":"/a\\xff","pid":2,"point":2,"what":"write"}"#
                + "\n")
    }

    @Test func `a trace without its end is shown, and the end is missed`() throws {
        let answer = try run("trace", "show", try trace("t", isWhole: false))
        #expect(answer.status == 0)
        #expect(answer.output.split(separator: "\n").count == 5)
        #expect(answer.error.contains("unfinished"))
    }

    @Test func `damage is an error after what came before it`() throws {
        let name = try trace("t")
        let url = URL(filePath: temporary.path + "/" + name)
        var bytes = try Data(contentsOf: url)
        let place = try #require(bytes.firstRange(of: Data("hello".utf8))).lowerBound
        bytes[place] ^= 1
        try bytes.write(to: url)
        let answer = try run("trace", "show", name)
        #expect(answer.status == 2)
        #expect(answer.output.split(separator: "\n").count == 1)
        #expect(answer.error.contains("damaged at byte"))
    }

    @Test func `stats count`() throws {
        let answer = try run("trace", "stats", try trace("t"))
        #expect(answer.output.contains("bytes written  5"))
        #expect(try run("trace", "stats", "t", "--json").output.contains(#""writtenBytes" : 5"#))
    }

    @Test func `traces of the same work are the same, whatever the inode numbers and processes`() throws {
        let answer = try run("trace", "diff", try trace("a"), try trace("b", inode: 77))
        #expect(answer.status == 0)
        #expect(answer.output == "the traces are the same\n")
    }

    @Test func `a difference in data is shown at its place, with exit code 1`() throws {
        let answer = try run("trace", "diff", try trace("a"), try trace("b", data: "hallo"))
        #expect(answer.status == 1)
        #expect(
            answer.output == """
                        1  op 1       create /a\\xff 0600 owner 0:0
                -       2  op 2       write /a\\xff [0, +5)
                +       2  op 2       write /a\\xff [0, +5)    (other data)

                """)
    }

    @Test func `traces that began with other files, or end otherwise, are not the same`() throws {
        func base(_ name: String, _ content: String) throws {
            var tree = Tree()
            var file = Node(kind: .regular, attributes: Attributes(mode: 0o600))
            let arena = PayloadArena()
            file.content.write(arena.store(Array(content.utf8)), at: 0)
            file.sizeBytes = UInt64(content.utf8.count)
            tree.nodes[InodeID(2)] = file
            tree.nodes[.root]!.entries["f"] = InodeID(2)
            var writer = try TraceWriter(creating: ByteString(temporary.path + "/" + name))
            try writer.append(base: tree, from: arena)
            try writer.finish()
        }
        try base("one", "AAAA")
        try base("two", "BBBB")
        try base("three", "AAAA")
        let differs = try run("trace", "diff", "one", "two")
        #expect(differs.status == 1 && differs.output == "the trees before the run differ\n")
        #expect(try run("trace", "diff", "one", "three").status == 0)
        let cut = try run("trace", "diff", try trace("a"), try trace("b", isWhole: false))
        #expect(cut.status == 1 && cut.output.contains("the events are the same, and the ends are not"), "\(cut)")
    }

    @Test func `a path of kilobytes is shortened, and what is said about it stays`() throws {
        let path = "begin-" + String(repeating: "x/", count: 1800) + "-end"
        for arguments in [
            ["trace", "show", path], ["replay", path], ["explore", path], ["case", "export", path, "-o", "x.tar"],
            ["run", "engine", "--scenario", "smoke", "--out", path.replacing("/", with: "y")],
        ] {
            let answer = try Faultline.run(arguments, directory: temporary.path)
            let said = answer.output + answer.error
            #expect(answer.status == 2, "\(arguments[0]): \(said)")
            #expect(said.utf8.count < 1500, "\(arguments[0]): \(said.utf8.count)")
            #expect(said.contains("begin-") && said.contains("more) …"), "\(said)")
        }
    }

    @Test func `doctor names every scenario, in text and in JSON`() throws {
        let text = try run("doctor")
        let json = try run("doctor", "--json")
        #expect(text.status == 0 && json.status == 0)
        for scenario in ["smoke", "power-cut", "flakey"] {
            #expect(text.output.contains("\n\(scenario) "))
            #expect(json.output.contains("\"scenario\" : \"\(scenario)\""))
        }
        #expect(!text.output.contains("\u{1B}"))
    }

    @Test func `cleanup cleans a run whose process is dead, and then there is nothing`() throws {
        var process = try ProcessIdentity.own()
        process.startTicks -= 1
        let run = temporary.path + "/faultline-runs/faultline-a-b-1-1"
        try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
        try RunRecord(process: process, owner: geteuid()).write(to: ByteString(run))
        let dry = try self.run("cleanup", "--dry-run")
        #expect(dry.output.contains("would mark as interrupted  "))
        // The same directory by two paths is one.
        let answer = try self.run("cleanup", "--out", temporary.path + "/faultline-runs")
        #expect(answer.status == 0)
        #expect(answer.output.contains("marked as interrupted  "), "\(answer)")
        // Another user's, or another test's, run may be alive here.
        let alone = answer.output.split(separator: "\n").filter { $0.hasPrefix("left alone") }
        #expect(!alone.contains { $0.contains("faultline-a-b-1-1") }, "\(answer)")
        #expect(!(try self.run("cleanup").output.contains("faultline-a-b-1-1")))
    }

    @Test(
        arguments: [
            (SIGINT, 130), (SIGTERM, 143), (SIGQUIT, 131), (SIGUSR1, 138), (SIGALRM, 142), (SIGXCPU, 152),
        ] as [(Int32, Int32)])
    func `a signal ends a command that is busy`(signal: Int32, status: Int32) throws {
        let (process, _, error) = try Faultline.start(["bench", "model", "--events", "100000000"])
        // Give the process the time to get there.
        usleep(300_000)
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        #expect(process.terminationStatus == status)
        #expect(process.terminationReason == .exit)
        let text = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        #expect(text.contains("interrupted"))
    }

    @Test(.enabled(if: FullDevice.isThere, "\(FullDevice.absence)"))
    func `output that cannot be written is an error`() throws {
        let process = Process()
        process.executableURL = URL(filePath: try #require(Faultline.path))
        process.arguments = ["--version"]
        process.standardOutput = FileHandle(forWritingAtPath: FullDevice.path)
        let error = Pipe()
        process.standardError = error
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 2)
    }
}
