import Bytes
import FaultFS
import Foundation
import Synchronization
import Targets
import Testing

@testable import Machine

/// Who lives is known by locks.
struct OwnedRecordTests {
    private let temporary: TemporaryDirectory
    private let own: UInt32 = geteuid()

    init() throws { temporary = try TemporaryDirectory() }

    private func look(_ directory: ByteString) throws -> String {
        switch try RecordState(of: directory, owner: own) {
        case .missing: "missing"
        case .finished: "finished"
        case .inUse(let reason): reason
        case .abandoned: "abandoned"
        }
    }

    private var stillRuns: String { "process \(getpid()) still runs" }

    @Test func `a record is locked until its owner lets go, and again by whoever claims it`() throws {
        let record = try OwnedRecord(RunRecord(process: .own(), owner: own), in: temporary.bytes)
        #expect(try RunRecord(in: temporary.bytes, ownedBy: own)?.isLocked == true)
        #expect(try look(temporary.bytes) == stillRuns)
        record.release()
        guard case .abandoned(let claimed) = try RecordState(of: temporary.bytes, owner: own) else {
            return #expect(Bool(false), "nobody owns it")
        }
        let second = try look(temporary.bytes)
        withExtendedLifetime(claimed) { #expect(second == stillRuns) }
    }

    /// A new record takes the place of the old one all the time. Whoever looks meanwhile finds either locked.
    @Test func `at no moment of a change is a record without its lock`() throws {
        let record = try OwnedRecord(RunRecord(process: .own(), owner: own), in: temporary.bytes)
        let isDone = Mutex(false)
        let directory = temporary.bytes
        let changer = Thread {
            for number in 0..<500 { try? record.change { $0.mounts = [ByteString("/m\(number)")] } }
            isDone.withLock { $0 = true }
        }
        changer.start()
        var looks: Set<String> = []
        while !isDone.withLock({ $0 }) { looks.insert(try look(directory)) }
        #expect(looks == [stillRuns])
        #expect(record.record.mounts == ["/m499"])
    }

    @Test func `no child keeps the lock of a dead owner`() throws {
        let record = try OwnedRecord(RunRecord(process: .own(), owner: own), in: temporary.bytes)
        let spawned = try ProcessRunner.start(Command(["sleep", "1000"]))
        defer { try? spawned.killTree() }
        let other = Process()
        other.executableURL = URL(filePath: "/bin/sleep")
        other.arguments = ["1000"]
        other.standardOutput = FileHandle.nullDevice
        other.standardError = FileHandle.nullDevice
        try other.run()
        defer {
            kill(other.processIdentifier, SIGKILL)
            other.waitUntilExit()
        }
        record.release()
        #expect(try look(temporary.bytes) == "abandoned")
    }

    private static let otherNamespace = "pid:[1]"

    /// What a record says, when nobody holds a lock on it.
    @Test(
        arguments: [
            // With a lock, the lock alone decides, wherever its process was.
            (2, true, otherNamespace, "this", "abandoned"),
            (2, true, "own", "this", "abandoned"),
            (2, true, otherNamespace, "earlier", "abandoned"),
            // Without one, by an earlier version or on a filesystem that has none, the process does.
            (2, false, otherNamespace, "this", "process 1 belongs to another container"),
            (1, nil, otherNamespace, "this", "process 1 belongs to another container"),
            (1, nil, "own", "this", "process 1 still runs"),
            (1, nil, "own", "earlier", "abandoned"),
            (2, false, "own", "this", "process 1 still runs"),
        ] as [(Int, Bool?, String, String, String)])
    func `a record without a held lock`(
        version: Int, isLocked: Bool?, namespace: String, boot: String, expected: String
    ) throws {
        var process = try ProcessIdentity.own()
        process.pid = 1
        process.startTicks = try #require(ProcessTable.startTicks(of: 1))
        if namespace != "own" { process.pidNamespace = namespace }
        if boot != "this" { process.bootID = boot }
        var fields: [String: Any] = [
            "version": version, "phase": "running", "owner": own, "mounts": [String](), "scratch": [String](),
            "process": [
                "pid": process.pid, "startTicks": process.startTicks, "bootID": process.bootID,
                "pidNamespace": process.pidNamespace,
            ],
        ]
        if let isLocked { fields["isLocked"] = isLocked }
        try JSONSerialization.data(withJSONObject: fields).write(to: URL(filePath: temporary.path + "/run.json"))
        #expect(try look(temporary.bytes) == expected)
    }

    // MARK: - Scratch directories

    @Test func `while cleanups take away what has no record yet, every scratch directory that is made gets one`() throws
    {
        let isDone = Mutex(false)
        let parent = temporary.bytes
        let cleaners = (0..<2).map { _ in
            Thread {
                while !isDone.withLock({ $0 }) {
                    for name in TreeNames.inside(parent) {
                        let path = parent.appending(component: name)
                        if ScratchRemoval.isUnfinished(path) { try? ScratchRemoval.removeUnfinished(path) }
                    }
                }
            }
        }
        for cleaner in cleaners { cleaner.start() }
        let made = try (0..<150).map { _ in try ScratchDirectory(in: parent) }
        isDone.withLock { $0 = true }
        for cleaner in cleaners { while !cleaner.isFinished { usleep(100) } }
        for directory in made { #expect(try look(directory.path) == stillRuns) }
        #expect(Set(made.map(\.path)).count == made.count)
        for directory in made { try directory.remove() }
        #expect(TreeNames.inside(parent) == [])
    }

    /// What a process leaves that is killed while it makes a scratch directory, or while one is removed.
    @Test(
        arguments: [
            (["run.json.new"], false, "removed"), ([], false, "removed"), (["run.json.new"], true, "left"),
            (["run.json.new", "file"], false, "left"), (["file"], false, "left"),
        ] as [([String], Bool, String)])
    func `a scratch directory without a record goes if nobody could miss it`(
        files: [String], isLocked: Bool, expected: String
    ) throws {
        let scratch = temporary.path + "/faultline-scratch-\(own)-1-1"
        try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: false)
        for file in files { try Data("{".utf8).write(to: URL(filePath: scratch + "/" + file)) }
        let held = isLocked ? open(scratch + "/run.json.new", O_RDWR) : -1
        defer { close(held) }
        if isLocked { #expect(flock(held, LOCK_EX | LOCK_NB) == 0) }
        var cleanup = Cleanup(
            runParents: [], scratchParents: [temporary.bytes], mounts: .none, processes: .none)
        let actions = cleanup.run()
        let path = ByteString(scratch)
        #expect(
            actions
                == [
                    .init(
                        path,
                        expected == "removed"
                            ? .removed : .leftAlone(reason: "no record says which process made it"))
                ])
        #expect(path.exists == (expected == "left"))
    }
}

private enum TreeNames {
    static func inside(_ directory: ByteString) -> [ByteString] {
        ((try? FileManager.default.contentsOfDirectory(atPath: directory.text)) ?? []).map { ByteString($0) }
    }
}

extension Cleanup.Mounts {
    /// A machine without mounts.
    static var none: Cleanup.Mounts {
        Cleanup.Mounts(
            list: { () throws(MountError) in [] }, connection: { _ in .served }, detach: { _ throws(MountError) in })
    }
}

extension Cleanup.Processes {
    /// A machine without strays.
    static var none: Cleanup.Processes {
        Cleanup.Processes(search: { { _ throws(TargetError) in StraySearch.Sweep() } }, end: { _ in .gone })
    }
}
