import Benchmarks
import Bytes
import Foundation
import Testing

struct EngineBenchmarkTests {
    @Test func `every row has a value beside its yardstick`() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "faultline-bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: directory) }
        let rows = try EngineBenchmark(directory: ByteString(directory.path), rounds: 1, count: 400).rows()
        #expect(rows.count >= 12)
        for row in rows {
            #expect(row.value.isFinite && row.value > 0, "\(row.name)")
            #expect(row.baselineValue.isFinite && row.baselineValue > 0, "\(row.name)")
        }
    }
}
