import Bytes
import Foundation
import Glibc
import Platform
import Storage
import Testing

@testable import Engine

/// Limits of the engine's memory and time, with a margin for slow machines.
@Suite(.serialized) struct BoundsTests {
    /// The memory of this process, in bytes (proc(5), statm).
    private static func residentBytes() throws -> Int {
        let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
        return (Int(text.split(separator: " ")[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE))
    }

    @Test func `a live key takes at most 100 bytes and the key itself`() throws {
        let count = 200_000
        let directory = KeyDirectory<SystemCoordination>()
        var keyBytes = 0
        for index in 0..<count {
            let key = ByteString("some key \(index)")
            keyBytes += key.count
            let place = Place(lsn: UInt64(index + 1), sequence: 1, offsetBytes: UInt32(index))
            directory.set(key, at: directory.spot(of: key), ValueLocation(place, payloadCount: 100))
        }
        #expect(directory.count == count)
        // A table is largest, relative to its keys, right after it has grown: some partitions are at that point.
        #expect(directory.allocatedBytes - keyBytes < count * 100)
        #expect(directory.allocatedBytes - keyBytes > count * MemoryLayout<ValueLocation>.size, "it counts")
    }

    /// A generated file of a long log: the same record again and again, with rising LSNs.
    private final class GeneratedSegment: StorageFile {
        static let count = 400
        static let payload = [UInt8](repeating: 0xA5, count: 1 << 20)
        private let header: [UInt8]
        private let sequence: UInt32
        private let largestRead: Guarded<Int>

        init(_ sequence: UInt32, _ largestRead: Guarded<Int>) {
            self.sequence = sequence
            self.largestRead = largestRead
            let base = UInt64(sequence - 1) * UInt64(Self.count) + 1
            header = SegmentHeader(name: SegmentName(shard: 0, sequence: sequence), baseLSN: base).encoded
        }

        private var frameSize: Int { Frame.size(keyCount: 1, payloadCount: Self.payload.count) }

        func length() -> UInt64 { UInt64(header.count + Self.count * frameSize) }

        func read(into buffer: UnsafeMutableRawBufferPointer, at offsetBytes: UInt64) -> Int {
            largestRead.withLock { $0 = max($0, buffer.count) }
            var position = Int(offsetBytes)
            var done = 0
            let end = Int(length())
            while done < buffer.count, position < end {
                let source: [UInt8]
                let start: Int
                if position < header.count {
                    (source, start) = (header, position)
                } else {
                    let index = (position - header.count) / frameSize
                    let lsn = UInt64(Int(sequence - 1) * Self.count + index + 1)
                    let offset = UInt32(header.count + index * frameSize)
                    source = Frame.encoded(
                        .put, lsn: lsn, unsyncedCount: 0, at: offset, key: [1], payload: Self.payload)
                    start = (position - header.count) % frameSize
                }
                let part = min(source.count - start, buffer.count - done)
                source.withUnsafeBytes {
                    buffer.baseAddress!.advanced(by: done).copyMemory(from: $0.baseAddress! + start, byteCount: part)
                }
                done += part
                position += part
            }
            return done
        }

        func write(_ bytes: UnsafeRawBufferPointer, at offsetBytes: UInt64) throws(StorageError) { throw refusal }
        func truncate(to sizeBytes: UInt64) throws(StorageError) { throw refusal }
        func preallocate(at offsetBytes: UInt64, countBytes: UInt64) throws(StorageError) { throw refusal }
        func sync() throws(StorageError) { throw refusal }
        private var refusal: StorageError { .failed(.write, name: "generated", errno: EROFS) }
    }

    private struct GeneratedStorage: Storage {
        let segments: UInt32
        let largestRead = Guarded(0)

        func openForReading(_ name: ByteString) throws(StorageError) -> any StorageFile {
            guard let name = SegmentName(name) else { throw .failed(.open, name: name, errno: ENOENT) }
            return GeneratedSegment(name.sequence, largestRead)
        }
        func list() -> [ByteString] { (1...segments).map { SegmentName(shard: 0, sequence: $0).fileName } }
        func open(_ name: ByteString) throws(StorageError) -> any StorageFile { try openForReading(name) }
        func create(_ name: ByteString) throws(StorageError) -> any StorageFile { throw refusal }
        func rename(_ from: ByteString, to: ByteString) throws(StorageError) { throw refusal }
        func unlink(_ name: ByteString) throws(StorageError) { throw refusal }
        func syncDirectory() throws(StorageError) { throw refusal }
        func lockDirectory() throws(StorageError) -> any DirectoryLock { throw refusal }
        private var refusal: StorageError { .failed(.create, name: "generated", errno: EROFS) }
    }

    /// 2.5 GB here, or as many segments of 400 MiB as `FAULTLINE_LONG_LOG` says (25 are 10 GB).
    @Test(
        .enabled(
            if: ProcessInfo.processInfo.environment["FAULTLINE_LONG_LOG"] != nil, "takes long: set FAULTLINE_LONG_LOG"))
    func `a long log is recovered in bounded memory`() throws {
        let segments = UInt32(ProcessInfo.processInfo.environment["FAULTLINE_LONG_LOG"] ?? "") ?? 6
        try recover(segments)
    }

    @Test func `recovery reads at most one record at a time`() throws { try recover(1) }

    private func recover(_ segments: UInt32) throws {
        let storage = GeneratedStorage(segments: segments)
        let before = try Self.residentBytes()
        let snapshot = try KeyValueSnapshot.open(storage: storage)
        #expect(snapshot.recoveryReport.recordsReplayed == Int(segments) * GeneratedSegment.count)
        #expect(snapshot.count == 1)
        #expect(storage.largestRead.withLock { $0 } <= (1 << 20) + Frame.overheadBytes + 1)
        #expect(try Self.residentBytes() - before < 64 << 20)
    }

    /// Nothing is allocated or read for a length in a header before the file is known to be long enough.
    @Test(arguments: [(1, 3 << 20), (1, LogLimits.payloadSizeBytes), (1, 0xFFFF_FFFF), (LogLimits.keySizeBytes, 0)])
    func `a length is checked before it is used`(_ keyCount: Int, _ payloadCount: Int) throws {
        var bytes = SegmentHeader(name: SegmentName(shard: 0, sequence: 1), baseLSN: 1).encoded
        bytes += Frame.encoded(.put, lsn: 1, unsyncedCount: 0, at: UInt32(bytes.count), key: [1], payload: [2])
        let start = bytes.count
        bytes += Frame.encoded(.put, lsn: 2, unsyncedCount: 0, at: UInt32(start), key: [3], payload: [4, 5, 6])
        bytes.withUnsafeMutableBytes { bytes in
            bytes.storeBytes(of: UInt32(keyCount).littleEndian, toByteOffset: start + 16, as: UInt32.self)
            bytes.storeBytes(of: UInt32(payloadCount).littleEndian, toByteOffset: start + 20, as: UInt32.self)
        }
        let name = SegmentName(shard: 0, sequence: 1).fileName
        let storage = CountedStorage(try MemoryStorage(contents: [name: bytes]))
        let snapshot = try KeyValueSnapshot.open(storage: storage)
        #expect(snapshot.recoveryReport.recordsReplayed == 1)
        let isTooLarge = payloadCount > LogLimits.payloadSizeBytes
        let reason = snapshot.recoveryReport.tornTail?.reason
        #expect(reason == (isTooLarge ? .payloadTooLarge(UInt32(payloadCount)) : .cutShort), "by its length alone")
        #expect(try snapshot.get(ByteString([1])) == [2])
        #expect(storage.largestRead.withLock { $0 } <= bytes.count)
    }

    @Test func `500 durable appends and an open are quick`() throws {
        let directory = try TemporaryDirectory()
        let clock = ContinuousClock()
        let log = try Log.open(storage: PosixStorage(directory: directory.path))
        let appends = try clock.measure {
            for _ in 0..<500 { try log.appendAndSync([UInt8](repeating: 1, count: 100)) }
        }
        try log.close()
        let open = try clock.measure { try Log.open(storage: PosixStorage(directory: directory.path)).close() }
        // The limits are those of a release build.
        #expect(appends < .seconds(5) && open < .seconds(1))
    }
}
