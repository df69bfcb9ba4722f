import Block
import Bytes
import FaultFS
import Foundation
import Glibc
import Targets
import Testing

@testable import Machine

struct CleanupTests {
    private let temporary: TemporaryDirectory
    private let own: UInt32 = geteuid()

    init() throws { temporary = try TemporaryDirectory() }

    /// A process that was us and is dead: the id is taken, by one that began later.
    private var dead: ProcessIdentity {
        get throws {
            var process = try ProcessIdentity.own()
            process.startTicks -= 1
            return process
        }
    }

    private func directory(_ name: String, _ record: RunRecord?) throws -> ByteString {
        let path = temporary.path + "/" + name
        try FileManager.default.createDirectory(atPath: path + "/inner", withIntermediateDirectories: true)
        try Data("x".utf8).write(to: URL(filePath: path + "/inner/file"))
        try record?.write(to: ByteString(path))
        return ByteString(path)
    }

    private var scratchName: String { "faultline-scratch-\(own)-1-1" }

    private func cleanup(
        isDryRun: Bool = false, mounts: [MountTable.Mount] = [], connections: [ByteString: MountConnection] = [:],
        detached: Recorded = Recorded(), failing: Bool = false, strays: Strays = Strays(),
        devices: [DeviceMapper.Device] = [], removed: Recorded = Recorded()
    ) -> [Cleanup.Action] {
        var cleanup = Cleanup(
            runParents: [temporary.bytes], scratchParents: [temporary.bytes], isDryRun: isDryRun,
            mounts: Cleanup.Mounts(
                list: { () throws(MountError) in mounts },
                connection: { connections[$0.mountPoint] ?? .served },
                detach: { path throws(MountError) in
                    if failing { throw .notMounted(path) }
                    detached.paths.append(path)
                }),
            processes: Cleanup.Processes(
                search: {
                    { take throws(TargetError) in strays.sweep(take) }
                }, end: { strays.endings[$0.process] ?? .ended }, timeLimit: strays.timeLimit),
            devices: Cleanup.Devices(list: { devices }) { name in
                removed.paths.append(ByteString(name))
                return !failing
            })
        return cleanup.run()
    }

    /// The processes that are found, sweep after sweep, and what becomes of them.
    final class Strays {
        private var sweeps: [[StrayProcesses.Stray]]
        let endings: [Int32: StrayProcesses.Ending]
        var timeLimit = Duration.seconds(600)
        /// Processes that end in each sweep before they are looked at.
        var missedCount = 0
        private(set) var sweepCount = 0

        init(_ sweeps: [StrayProcesses.Stray]..., endings: [Int32: StrayProcesses.Ending] = [:]) {
            self.sweeps = sweeps
            self.endings = endings
        }

        func sweep(_ take: (StrayProcesses.Stray) -> Void) -> StraySearch.Sweep {
            sweepCount += 1
            let found = sweeps.isEmpty ? [] : sweeps.removeFirst()
            for stray in found { take(stray) }
            return StraySearch.Sweep(strayCount: found.count, missedCount: missedCount)
        }
    }

    final class Recorded {
        var paths: [ByteString] = []
    }

    private func mount(_ path: ByteString, type: ByteString = "fuse.faultline", daemon: Int32, owner: UInt32? = nil)
        -> MountTable.Mount
    {
        MountTable.Mount(
            mountPoint: path, type: type, source: ByteString("faultline-\(daemon)"), owner: owner ?? own)
    }

    @Test func `a dead run loses its mounts, then its scratch, keeps its results, and a second time there is nothing`()
        throws
    {
        var record = RunRecord(process: try dead, owner: own)
        let scratch = try directory(scratchName, record)
        let mountPoint = scratch.appending(component: "inner")
        record.mounts = [mountPoint]
        record.scratch = [scratch]
        let run = try directory("faultline-a-b-1-1", record)
        let detached = Recorded()
        let actions = cleanup(
            mounts: [mount(mountPoint, daemon: getpid())], connections: [mountPoint: .ended], detached: detached)
        #expect(
            actions == [
                .init(mountPoint, .unmounted), .init(scratch, .removed), .init(run, .markedInterrupted),
            ])
        #expect(detached.paths == [mountPoint])
        #expect(!scratch.exists)
        #expect(run.appending(component: "inner").exists)
        #expect(try RunRecord(in: run, ownedBy: own)?.phase == .interrupted)
        #expect(cleanup() == [])
    }

    @Test(arguments: [false, true])
    func `a dead run loses its devices, and no device that only looks like one`(isDryRun: Bool) throws {
        let scratch = try directory(scratchName, RunRecord(process: try dead, owner: own))
        let living = try directory(
            "faultline-scratch-\(own)-1-2", RunRecord(process: try .own(), owner: own))
        func device(_ name: String, on file: ByteString?, lower: [String] = ["loop0"]) -> DeviceMapper.Device {
            DeviceMapper.Device(name: name, node: "dm-0", lower: lower, files: file.map { [$0] } ?? [])
        }
        let ours = device("\(scratchName)-1-error_writes-after", on: scratch.appending(component: "disk"))
        let elsewhere = device("\(scratchName)-1-elsewhere", on: "/var/lib/disk")
        let disk = device("\(scratchName)-1-real", on: nil, lower: ["sda1"])
        let removed = Recorded()
        let actions = cleanup(
            isDryRun: isDryRun,
            devices: [
                ours, elsewhere, disk, device("vg-root", on: scratch.appending(component: "disk")),
                // The name of the dead run's directory is the beginning of this one's.
                device("\(scratchName)2-1-x", on: scratch.appending(component: "disk")),
                device("faultline-scratch-\(own)-1-2-1-x", on: living.appending(component: "disk")),
            ], removed: removed)
        #expect(removed.paths == (isDryRun ? [] : [ByteString(ours.name)]))
        let named = actions.filter { "\($0.subject)".hasPrefix("/dev/mapper/") }
        #expect(
            named == [
                .init(ByteString("/dev/mapper/\(ours.name)"), .removed),
                .init(
                    ByteString("/dev/mapper/\(elsewhere.name)"),
                    .leftAlone(reason: "it does not lie on a file in \(scratch)")),
                .init(
                    ByteString("/dev/mapper/\(disk.name)"),
                    .leftAlone(reason: "it does not lie on a file in \(scratch)")),
            ])
        #expect(scratch.exists == isDryRun)
    }

    @Test func `a device that something uses is reported with the command that takes it away`() throws {
        let scratch = try directory(scratchName, RunRecord(process: try dead, owner: own))
        let device = DeviceMapper.Device(
            name: "\(scratchName)-1-x", node: "dm-0", lower: ["loop0"], files: [scratch.appending(component: "disk")])
        let actions = cleanup(failing: true, devices: [device])
        let failed = actions.first { "\($0.subject)".hasPrefix("/dev/mapper/") }
        #expect(failed?.isFailure == true)
        #expect(failed.map { "\($0.outcome)".contains("dmsetup remove --force \(device.name)") } == true)
    }

    @Test func `a dry run says the same and does nothing`() throws {
        let record = RunRecord(process: try dead, owner: own)
        let scratch = try directory(scratchName, record)
        let run = try directory("faultline-a-b-1-1", record)
        let detached = Recorded()
        let abandoned = mount("/m", daemon: .max)
        #expect(
            cleanup(isDryRun: true, mounts: [abandoned], connections: ["/m": .ended], detached: detached)
                == [.init("/m", .unmounted), .init(run, .markedInterrupted), .init(scratch, .removed)])
        #expect(detached.paths == [])
        #expect(scratch.exists)
        #expect(try RunRecord(in: run, ownedBy: own) == record)
    }

    @Test func `what a living process made is left alone`() throws {
        var record = RunRecord(process: try .own(), owner: own)
        record.mounts = ["/m"]
        let scratch = try directory(scratchName, record)
        let run = try directory("faultline-a-b-1-1", record)
        let reason = "process \(getpid()) still runs"
        #expect(
            cleanup(mounts: [mount("/m", daemon: getpid())])
                == [.init(run, .leftAlone(reason: reason)), .init(scratch, .leftAlone(reason: reason))])
        #expect(scratch.exists)
    }

    @Test func `a process of another container is not taken for dead`() throws {
        var process = try dead
        process.pidNamespace = "pid:[1]"
        let scratch = try directory(scratchName, RunRecord(process: process, owner: own))
        #expect(
            cleanup()
                == [
                    .init(scratch, .leftAlone(reason: "process \(process.pid) belongs to another container"))
                ])
        #expect(scratch.exists)
    }

    @Test func `a process of an earlier boot is dead`() throws {
        var process = try ProcessIdentity.own()
        process.bootID = "earlier"
        let scratch = try directory(scratchName, RunRecord(process: process, owner: own))
        #expect(cleanup() == [.init(scratch, .removed)])
    }

    @Test func `a name alone removes nothing`() throws {
        let scratch = try directory(scratchName, nil)
        let other = try directory("faultline-scratch-\(own + 1)-1-1", RunRecord(process: try dead, owner: own))
        let plain = try directory("elsewhere", RunRecord(process: try dead, owner: own))
        let actions = cleanup()
        #expect(actions.contains(.init(scratch, .leftAlone(reason: "no record says which process made it"))))
        #expect([scratch, other, plain].filter { !$0.exists } == [])
        #expect(!actions.contains { $0.outcome == .removed })
    }

    @Test func `a recorded path without our prefix is not removed`() throws {
        var record = RunRecord(process: try dead, owner: own)
        let victim = try directory("victim", record)
        record.scratch = [victim]
        _ = try directory("faultline-a-b-1-1", record)
        #expect(cleanup().contains(.init(victim, .leftAlone(reason: "it does not bear our prefix"))))
        #expect(victim.exists)
    }

    @Test func `symbolic links are neither followed nor removed`() throws {
        let record = RunRecord(process: try dead, owner: own)
        let victim = try directory("victim", record)
        let link = temporary.path + "/" + scratchName
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: victim.text)
        var listing = record
        listing.scratch = [ByteString(link)]
        _ = try directory("faultline-a-b-1-1", listing)
        #expect(
            cleanup().contains(.init(ByteString(link), .leftAlone(reason: "it is no directory of this user"))))
        #expect(victim.appending(component: "inner").exists)
        #expect(ByteString(link).exists)
    }

    @Test(.enabled(if: geteuid() == 0, "only root can make a directory of another user"))
    func `a directory of another user is left alone`() throws {
        var record = RunRecord(process: try dead, owner: own)
        let scratch = try directory(scratchName, record)
        record.scratch = [scratch]
        _ = try directory("faultline-a-b-1-1", record)
        #expect(chown(scratch.text, 65534, 65534) == 0)
        #expect(cleanup().contains(.init(scratch, .leftAlone(reason: "it is no directory of this user"))))
        #expect(scratch.appending(component: "inner").exists)
    }

    @Test func `links inside a scratch directory lead nowhere`() throws {
        let victim = try directory("victim", nil)
        let scratch = try directory(scratchName, RunRecord(process: try dead, owner: own))
        try FileManager.default.createSymbolicLink(atPath: scratch.text + "/out", withDestinationPath: victim.text)
        #expect(cleanup() == [.init(scratch, .removed)])
        #expect(victim.appending(component: "inner").exists)
    }

    @Test func `mounts of others, of other types, and served ones stay`() throws {
        let detached = Recorded()
        let mounts = [
            mount("/other-user", daemon: .max, owner: own + 1), mount("/other-type", type: "fuse.sshfs", daemon: .max),
            mount("/served", daemon: getpid()),
            MountTable.Mount(mountPoint: "/no-daemon", type: "fuse.faultline", source: "x", owner: own),
        ]
        let connections: [ByteString: MountConnection] = [
            "/other-user": .ended, "/other-type": .ended, "/no-daemon": .ended,
        ]
        #expect(cleanup(mounts: mounts, connections: connections, detached: detached) == [])
        #expect(detached.paths == [])
    }

    @Test func `a mount that cannot be detached is a failure, said once`() throws {
        #expect(
            cleanup(mounts: [mount("/m", daemon: .max)], connections: ["/m": .ended], failing: true)
                == [.init("/m", .failed(reason: "/m: not mounted"))])
    }

    @Test func `a mount that nobody can ask is left alone with the reason`() throws {
        #expect(
            cleanup(mounts: [mount("/m", daemon: .max)], connections: ["/m": .unknown(reason: "no answer")])
                == [.init("/m", .leftAlone(reason: "no answer"))])
    }

    /// A process that starts another while it is killed; one that is gone by itself; one that does not die; one of
    /// others.
    @Test func `what killed runs left running is killed, sweep after sweep, and the rest is named once`() throws {
        let foreign = StrayProcesses.Stray(process: 4, name: "d", reasonNotToKill: "it belongs to user 7")
        let strays = Strays(
            [.init(process: 1, name: "a"), .init(process: 2, name: "b"), foreign], [.init(process: 3, name: "c")],
            endings: [2: .gone, 3: .failed("it does not end")])
        let reason = "a killed run left it, but it belongs to user 7; `kill -9 4` ends it"
        #expect(
            cleanup(strays: strays)
                == [
                    .init(.process(1, name: "a"), .ended), .init(.process(4, name: "d"), .leftAlone(reason: reason)),
                    .init(.process(3, name: "c"), .failed(reason: "it does not end")),
                ])
        let dry = cleanup(
            isDryRun: true, strays: Strays([.init(process: 1, name: "a")], [.init(process: 2, name: "b")]))
        #expect(dry == [.init(.process(1, name: "a"), .ended)])
    }

    @Test func `the search for what a killed run left goes on past sweeps that missed something`() throws {
        let hopper = StrayProcesses.Stray(process: 9, name: "hop")
        let strays = Strays([], [], [], [], [hopper])
        strays.missedCount = 1
        #expect(cleanup(strays: strays) == [.init(.process(9, name: "hop"), .ended)])
        let quiet = Strays()
        #expect(cleanup(strays: quiet).isEmpty && quiet.sweepCount == 2)
    }

    @Test func `processes that start others faster than they are killed are a failure`() throws {
        let strays = Strays([.init(process: 9, name: "hop")], endings: [9: .gone])
        strays.timeLimit = .zero
        let actions = cleanup(strays: strays)
        #expect(actions.map(\.subject) == [.process(9, name: "hop")])
        #expect(actions.count { $0.isFailure } == 1)
    }

    @Test func `a damaged record is left alone with its reason`() throws {
        let scratch = try directory(scratchName, nil)
        try Data("{".utf8).write(to: URL(filePath: scratch.text + "/run.json"))
        let outcome = cleanup().first?.outcome
        guard case .leftAlone(let reason) = outcome else {
            return #expect(Bool(false), "\(String(describing: outcome))")
        }
        #expect(reason.contains("not the record of a run"))
    }
}
