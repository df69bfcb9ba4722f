import Bytes
import Foundation
import Model
import Testing

@testable import Storage

@Suite struct SpillFileTests {
    @Test func `appended data reads back, and the directory has no name`() throws {
        let temporary = try TemporaryDirectory()
        let file = try SpillFile(in: temporary.path)
        var places: [(Payload, [UInt8])] = []
        for number in 0..<100 {
            let bytes = (0..<number * 37).map { UInt8(truncatingIfNeeded: $0 &* number) }
            places.append((try bytes.withUnsafeBytes { try file.append($0) }, bytes))
        }
        for (place, bytes) in places { #expect(try file.bytes(of: place) == bytes) }
        #expect(file.sizeBytes == UInt64(places.reduce(0) { $0 + $1.1.count }))
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(temporary.path)").isEmpty)
    }

    @Test func `data that was never appended is an error`() throws {
        let temporary = try TemporaryDirectory()
        let file = try SpillFile(in: temporary.path)
        #expect(throws: SpillError.self) { try file.bytes(of: Payload(offsetBytes: 7, countBytes: 1)) }
    }

    @Test func `an unusable directory is named, with advice`() {
        let error = #expect(throws: SpillError.self) { try SpillFile(in: "/proc") }
        #expect(error.map { "\($0)".contains("/proc") && "\($0)".contains("--memory") } == true)
    }
}
