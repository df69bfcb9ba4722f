import Bytes
import Foundation
import Storage
import Testing

@testable import Machine
@testable import Runs

@Suite struct MemoryGuardTests {
    @Test(arguments: [
        ("512M", 512 << 20), ("2g", 2 << 30), ("1T", 1 << 40), ("65536K", 64 << 20), ("67108864", 64 << 20),
    ])
    func `an amount is read as it is written`(text: String, bytes: Int) {
        #expect(MemorySize(argument: text)?.bytes == bytes)
    }

    @Test(arguments: ["", "M", "-1M", "0", "1.5G", "1 G", "2000000T", "9223372036854775807G", "1MB"])
    func `what is no amount is not read`(text: String) { #expect(MemorySize(argument: text) == nil) }

    @Test func `an amount prints as it can be given`() {
        for text in ["64M", "3G", "1500M", "2T"] { #expect(MemorySize(argument: text)?.description == text) }
        #expect(MemorySize(bytes: (64 << 20) + 1).description == "65M")
    }

    private func host(_ files: [String: String]) -> Machine.Host {
        var host = Machine.Host.real
        host.text = { files[$0.description] }
        return host
    }

    @Test func `a run may take a quarter of the machine, or of its container`() {
        let machine = "MemTotal:       16777216 kB\nMemFree: 1 kB\n"
        #expect(MachineMemory(host(["/proc/meminfo": machine])).defaultLimit.description == "4G")
        let unified = [
            "/proc/meminfo": machine, "/proc/self/cgroup": "0::/user/run\n",
            "/sys/fs/cgroup/user/run/memory.max": "max\n", "/sys/fs/cgroup/user/memory.max": "2147483648\n",
        ]
        #expect(MachineMemory(host(unified)).defaultLimit.description == "512M")
        let old = [
            "/proc/meminfo": machine, "/proc/self/cgroup": "5:cpu:/x\n4:memory:/a/b\n",
            "/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes": "4294967296\n",
        ]
        #expect(MachineMemory(host(old)).defaultLimit.description == "1G")
        #expect(MachineMemory(host(["/proc/meminfo": "MemTotal: 100000 kB\n"])).defaultLimit == .least)
        #expect(MachineMemory(host([:])).defaultLimit.bytes > 0)
    }

    @Test func `beyond the limit it is over for good, and says what to do`() throws {
        let budget = MemoryBudget(limitBytes: 1 << 20, spillDirectory: "/tmp")
        let memory = MemoryGuard(budget)
        for _ in 0..<500 where !memory.isOver { usleep(10_000) }
        #expect(memory.isOver && memory.words?.contains("may take 1M") == true)
        #expect(memory.words?.contains("--memory") == true)
        let plenty = MemoryGuard(MemoryBudget(limitBytes: 1 << 45, spillDirectory: "/tmp"))
        #expect(!plenty.isOver && plenty.words == nil)
        plenty.fail("the disk")
        #expect(plenty.isOver && plenty.words == "the disk")
    }

    private static let hasMemoryFiles = MemoryFiles(in: "/dev/shm") != nil && access("/dev/shm", W_OK) == 0

    @Test(.enabled(if: MemoryGuardTests.hasMemoryFiles, "/dev/shm is not in memory"))
    func `scratch space that lies in memory counts`() throws {
        let scratch = "/dev/shm/faultline-test-guard-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        let (fileBytes, spareBytes) = (512 << 20, 256 << 20)
        let limit = MemorySize(bytes: try #require(ResidentMemory.currentBytes) + spareBytes)
        let budget = MemoryBudget(limitBytes: limit.bytes, spillDirectory: "/tmp")
        let file = open(scratch + "/file", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        defer { close(file) }
        try #require(posix_fallocate(file, 0, off_t(fileBytes)) == 0)
        let memory = MemoryGuard(budget, of: limit, scratch: ByteString(scratch))
        for _ in 0..<500 where !memory.isOver { usleep(10_000) }
        let words = try #require(memory.words)
        #expect(words.contains("of them files in \(scratch)") && words.contains("may take \(limit)"), "\(words)")
    }
}
