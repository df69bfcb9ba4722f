import Bytes
import Glibc
import Machine
import Platform
import Runs
import Storage

/// What a live power cut costs beyond the workload: mount, 1,000 appends to a file, cut, unmount, mount again, and look
/// at what is there. At several sizes of the file: the cost must not depend on it.
struct CrashCycleBenchmark {
    package let directory: ByteString
    package let rounds: Int
    private static let appendCount = 1000
    private static let blockBytes = 4096
    private static let aimMilliseconds = 40.0

    package func rows() throws -> [BenchmarkRow] {
        try [0, 64, 256].map { mebibytes in
            let (backing, mountPoint) = (directory.appending(component: "b"), directory.appending(component: "m"))
            var times: [(cycle: Double, work: Double)] = []
            for _ in 0..<rounds {
                if Interruption.shared.isInterrupted { throw RunError.interrupted }
                for directory in [backing, mountPoint] { try RunFiles.makeDirectory(directory) }
                try fill(backing.appending(component: "log"), mebibytes)
                times.append(try cycle(backing, mountPoint, mebibytes << 20))
                for directory in [backing, mountPoint] { try TreeRemoval.remove(directory) }
            }
            let middle = times.sorted { $0.cycle - $0.work < $1.cycle - $1.work }[times.count / 2]
            return BenchmarkRow(
                name: "crash cycle beyond the workload, file of \(mebibytes) MiB", value: middle.cycle - middle.work,
                unit: "ms", baseline: "the workload: 1,000 appends of 4 KiB, each tenth synced",
                baselineValue: middle.work, aim: .atMost(Self.aimMilliseconds))
        }
    }

    /// Milliseconds of the whole cycle and of the workload in it.
    private func cycle(
        _ backing: ByteString, _ mountPoint: ByteString, _ sizeBytes: Int
    ) throws -> (cycle: Double, work: Double) {
        let log = mountPoint.appending(component: "log")
        let began = MonotonicTime.seconds()
        var work = 0.0
        try MeasuredFilesystem.serving([], backing, mountPoint) {
            let start = MonotonicTime.seconds()
            try append(to: log, from: sizeBytes)
            work = MonotonicTime.seconds() - start
            try OutputFile.append(
                Array("effect=drop seed=1\n".utf8), to: mountPoint.appending(component: ".faultline/crash"))
        }
        let kept = try MeasuredFilesystem.serving([], backing, mountPoint) { try validate(log, from: sizeBytes) }
        let whole = MonotonicTime.seconds() - began
        // `drop` keeps everything synced and nothing else.
        guard kept == Self.appendCount - 9 else {
            throw RunError.harness("after the cut \(kept) of \(Self.appendCount) appends were there")
        }
        return (whole * 1000, work * 1000)
    }

    private func block(_ index: Int) -> [UInt8] {
        [UInt8](repeating: UInt8(truncatingIfNeeded: index % 251 + 1), count: Self.blockBytes)
    }

    private func append(to path: ByteString, from offset: Int) throws {
        let file = path.withCString { open($0, O_WRONLY | O_CLOEXEC) }
        guard file >= 0 else { throw YardstickError(description: "\(path): open: errno \(errno)") }
        defer { close(file) }
        for index in 0..<Self.appendCount {
            let done = pwrite(file, block(index), Self.blockBytes, off_t(offset + index * Self.blockBytes))
            guard done == Self.blockBytes, index % 10 != 0 || fsync(file) == 0 else {
                throw YardstickError(description: "\(path): append: errno \(errno)")
            }
        }
    }

    /// The number of consecutive appends found.
    private func validate(_ path: ByteString, from offset: Int) throws -> Int {
        let file = path.withCString { open($0, O_RDONLY | O_CLOEXEC) }
        guard file >= 0 else { throw YardstickError(description: "\(path): open: errno \(errno)") }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: Self.blockBytes)
        for index in 0..<Self.appendCount {
            let got = pread(file, &bytes, Self.blockBytes, off_t(offset + index * Self.blockBytes))
            guard got >= 0 else { throw YardstickError(description: "\(path): read: errno \(errno)") }
            if got != Self.blockBytes || bytes != block(index) { return index }
        }
        return Self.appendCount
    }

    private func fill(_ path: ByteString, _ mebibytes: Int) throws {
        let file = try OutputDescriptor.create(path)
        defer { close(file) }
        let chunk = [UInt8](repeating: 0x77, count: 1 << 20)
        for _ in 0..<mebibytes where write(file, chunk, chunk.count) != chunk.count {
            throw YardstickError(description: "\(path): write: errno \(errno)")
        }
    }
}
