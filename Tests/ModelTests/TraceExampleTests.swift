import Bytes
import Foundation
import Model
import Testing

/// The example of docs/trace-format.md is what the encoder writes. A change here is a new version of the format.
struct TraceExampleTests {
    @Test func `the page's example is what the encoder writes, byte for byte`() throws {
        var encoder = TraceEncoder()
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        try encoder.encode(.base(.node(.root, .directory, Attributes(mode: 0o755), sizeBytes: 0)), data: none)
        try encoder.encode(.base(.node(InodeID(2), .regular, Attributes(mode: 0o644), sizeBytes: 0)), data: none)
        try encoder.encode(.base(.entry(DirectoryEntry(.root, "a"), InodeID(2))), data: none)
        let write = Change.write(InodeID(2), offsetBytes: 512, data: Payload(offsetBytes: 0, countBytes: 5))
        let payload = try Array("hello".utf8).withUnsafeBytes {
            try encoder.encode(.event(.operation(Operation(id: OperationID(1), write, process: 77))), data: $0)
        }
        #expect(payload == Payload(offsetBytes: 212, countBytes: 5))
        try encoder.encode(.event(.barrierBegan(OperationID(2), .fdatasync(InodeID(2)), process: 77)), data: none)
        try encoder.encode(.event(.barrierEnded(OperationID(2), errno: 0)), data: none)
        try encoder.end()
        #expect(encoder.bytes == (try Self.exampleOfThePage()))
    }

    /// The bytes of the page's last indented block: columns 9 to 55 of each line.
    private static func exampleOfThePage() throws -> [UInt8] {
        let page = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/trace-format.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        let example = try #require(text.range(of: "## Example", options: .backwards))
        return text[example.upperBound...].split(separator: "\n").filter { $0.hasPrefix("    ") }
            .flatMap { $0.dropFirst(9).prefix(47).split(separator: " ").compactMap { UInt8($0, radix: 16) } }
    }
}
