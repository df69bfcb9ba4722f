import Testing

@testable import Oracle

struct AcknowledgementCounterTests {
    private static let big = [UInt8](repeating: 7, count: 70_000)
    private static let text: [UInt8] = [
        OracleLine.begin(.put(1, "k", [1, 2, 3])), .acknowledged(.put(1, "k", [1, 2, 3])),
        .begin(.delete(2, "phase")), .failed(.delete(2, "phase")), .restart,
        .begin(.put(3, "seq", big, txn: 3)), .acknowledged(.put(3, "seq", big, txn: 3)),
        .begin(.put(4, "", [])), .acknowledged(.put(4, "", [])),
    ].flatMap(\.encoded)

    private func count(_ text: [UInt8], chunkBytes: Int) -> Int {
        var counter = AcknowledgementCounter()
        for start in stride(from: 0, to: text.count, by: chunkBytes) {
            counter.read(text.span.extracting(start..<min(text.count, start + chunkBytes)))
        }
        return counter.count
    }

    @Test(arguments: [1, 7, 64, 4096, 1 << 20])
    func `acknowledgements count; intents, failures and restarts do not`(chunkBytes: Int) {
        #expect(count(Self.text, chunkBytes: chunkBytes) == 3)
    }

    @Test func `a line counts once its newline is there`() {
        var counter = AcknowledgementCounter()
        let line = OracleLine.acknowledged(.put(1, "k", [9])).encoded
        counter.read(line.span.extracting(..<(line.count - 1)))
        #expect(counter.count == 0)
        counter.read(line.span.extracting((line.count - 1)...))
        #expect(counter.count == 1)
    }

    @Test func `fields may be in any order`() {
        #expect(count(Array(#"{"phase":"begin","seq":1,"op":"del","key":""}"#.utf8) + [10], chunkBytes: 9) == 0)
        #expect(count(Array(#"{"key":"","op":"del","seq":1}"#.utf8) + [10], chunkBytes: 9) == 1)
    }
}
