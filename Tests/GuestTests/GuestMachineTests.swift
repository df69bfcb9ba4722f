import Bytes
import Foundation
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
        let copy = GuestMachine.brought(in: place.path).appending(component: "brought-out/copy")
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
