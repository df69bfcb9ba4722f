import Bytes
import Foundation
import Glibc
import Testing

@testable import Guest

/// What a guest takes; what is missing is said once.
private let isAble: Bool = {
    let programs = ["qemu-system-x86_64", "busybox"].filter { GuestPrograms.find($0) == nil }
    let kernel = try? GuestKernel.newest()
    if programs.isEmpty, kernel != nil { return true }
    print(
        "SKIPPED: the guest: no \((programs + (kernel == nil ? ["kernel"] : [])).joined(separator: ", no ")): `scripts/setup --guest`"
    )
    return false
}()

/// Virtual machines that run a command.
@Suite(.enabled(if: isAble), .serialized) struct GuestMachineTests {
    private final class Place {
        let url = FileManager.default.temporaryDirectory.appending(path: "faultline-guest-test-\(UUID().uuidString)")
        var path: ByteString { ByteString(url.path()) }

        init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false) }
        deinit { try? FileManager.default.removeItem(at: url) }
    }

    private func machine(memoryMebibytes: Int = 512) throws -> GuestMachine {
        var machine = GuestMachine(try .newest())
        (machine.memoryMebibytes, machine.accelerator) = (memoryMebibytes, .tcg)
        return machine
    }

    private func script(_ text: String) -> GuestTask {
        GuestTask(["/bin/sh", "-c", ByteString(text)], in: "/usr/share")
    }

    @Test func `a command runs as root with the host's files, changes none of them, and brings out what it names`()
        throws
    {
        let (place, outside) = (try Place(), try Place())
        let file = outside.url.appending(path: "it's here")
        try Data("from the host\n".utf8).write(to: file)
        var task = script(
            """
            id -u; pwd; cat '\(outside.path)/it'"'"'s here'; echo changed > '\(outside.path)/it'"'"'s here'
            mkdir /tmp/brought-out; cat '\(outside.path)/it'"'"'s here' > /tmp/brought-out/copy; echo oops >&2; exit 42
            """)
        task.bring = ["/tmp/brought-out", "/nowhere"]
        var said: [GuestMachine.Stream: [UInt8]] = [:]
        let outcome = try machine().run(task, in: place.path) { said[$0, default: []] += $1 }
        #expect(outcome.ending == .exited(status: 42), "\(outcome)")
        #expect(String(decoding: said[.output] ?? [], as: UTF8.self) == "0\n/usr/share\nfrom the host\n")
        #expect(String(decoding: said[.errors] ?? [], as: UTF8.self) == "oops\n")
        #expect(try String(contentsOf: file, encoding: .utf8) == "from the host\n")
        let copy = outcome.brought.appending(component: "brought-out/copy")
        #expect(try GuestFile.read(copy) == Array("changed\n".utf8))
        #expect(outcome.bootSeconds.map { $0 > 0 && $0 < outcome.seconds } == true)
        #expect(outcome.outOfMemory == nil)
    }

    @Test func `a guest whose kernel panics ends, and its console says so`() throws {
        let place = try Place()
        let outcome = try machine().run(script("echo c > /proc/sysrq-trigger; sleep 100"), in: place.path) { _, _ in }
        guard case .panicked(let line) = outcome.ending else { return #expect(Bool(false), "\(outcome)") }
        #expect(line.contains("sysrq triggered crash"))
        #expect(outcome.console.contains(line), "\(outcome.console)")
    }

    @Test func `a command that takes all memory is killed, and the guest's kernel says which`() throws {
        let place = try Place()
        let outcome = try machine(memoryMebibytes: 256).run(script("tail /dev/zero; exit $?"), in: place.path) { _, _ in
        }
        #expect(outcome.ending == .exited(status: 137), "\(outcome)")
        #expect(outcome.outOfMemory?.contains("(tail)") == true)
    }

    @Test func `a guest comes up whether KVM works here or not`() throws {
        let place = try Place()
        var machine = try machine()
        machine.accelerator = .auto
        let outcome = try machine.run(script("exit 3"), in: place.path) { _, _ in }
        #expect(outcome.ending == .exited(status: 3), "\(outcome)")
    }

    @Test func `a guest runs one task after the other, and what one has left is not there for the next`() throws {
        let place = try Place()
        guard case .up(let session) = try machine().start(in: place.path) else { return #expect(Bool(false)) }
        defer { session.end() }
        func run(_ text: String) throws -> (GuestOutcome, String) {
            var said: [UInt8] = []
            let outcome = try session.run(script(text)) { if $0 == .output { said += $1 } }
            return (outcome, String(decoding: said, as: UTF8.self))
        }
        let leaving = "echo left > /tmp/left; mkdir /tmp/m; mount -t tmpfs left /tmp/m; sleep 1000 & exit 3"
        let (first, _) = try run(leaving)
        #expect(first.ending == .exited(status: 3) && first.bootSeconds != nil)
        let (second, said) = try run("ls /tmp/left; grep -c left /proc/mounts; ps ax | grep -c 'slee[p] 1000'")
        #expect(second.ending == .exited(status: 1) && second.bootSeconds == nil)
        #expect(said == "0\n0\n")
        #expect(second.seconds < 10)
        #expect(try run("echo o > /proc/sysrq-trigger; sleep 100").0.ending == .turnedOff)
        #expect(!session.isUp)
    }

    @Test func `a disk's writes are logged, and the log survives the guest's sudden end`() throws {
        let place = try Place()
        let (disk, log) = (place.path.appending(component: "disk"), place.path.appending(component: "log"))
        for file in [disk, log] {
            #expect(FileManager.default.createFile(atPath: "\(file)", contents: nil))
            #expect(truncate("\(file)", 16 << 20) == 0)
        }
        var machine = try machine()
        machine.disks = [GuestDisk(file: disk, log: log, serial: "serial-1")]
        let guest = place.path.appending(component: "guest")
        #expect(mkdir("\(guest)", 0o700) == 0)
        let task = script(
            """
            cat /sys/block/vda/serial; printf '%4096s' x | dd of=/dev/vda bs=4096 seek=3 oflag=direct 2>/dev/null
            sync /dev/vda; echo ready; sleep 1000
            """)
        var said = ""
        let outcome = try machine.run(
            task, in: guest, shouldStop: { said.contains("ready") },
            output: { if $0 == .output { said += String(decoding: $1, as: UTF8.self) } })
        #expect(outcome.ending == .stopped)
        #expect(said.hasPrefix("serial-1"))
        let bytes = try GuestFile.read(log)
        func number(_ offset: Int) -> UInt64 {
            bytes[offset..<offset + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        #expect(number(0) == 0x6A_7366_7773_6872 && number(16) >= 2)
        // The first write: sector 3, one sector, and its data after the entry.
        #expect([number(4096), number(4104)] == [3, 1])
        #expect(bytes[8192 + 4095] == UInt8(ascii: "x"))
    }

    @Test func `a guest that takes too long is killed, and one that nobody wants any more`() throws {
        var slow = try machine()
        slow.deadlineSeconds = 1
        let (first, second) = (try Place(), try Place())
        #expect(try slow.run(script("sleep 100"), in: first.path) { _, _ in }.ending == .timedOut(seconds: 1))
        let outcome = try machine().run(
            script("sleep 100"), in: second.path, shouldStop: { true }, output: { _, _ in })
        #expect(outcome.ending == .stopped)
        #expect(try Self.emulatorCount() == 0)
    }

    /// QEMU processes that are children of this one.
    private static func emulatorCount() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { name in
            guard Int(name) != nil, let status = try? String(contentsOfFile: "/proc/\(name)/status", encoding: .utf8)
            else {
                return false
            }
            return status.contains("Name:\tqemu-system")
                && status.contains("PPid:\t\(ProcessInfo.processInfo.processIdentifier)\n")
        }.count
    }
}
