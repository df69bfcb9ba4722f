import Bytes
import Model
import Oracle
import Testing

@testable import Exploration

/// Whose fault a loss is, below a real filesystem whose device failed.
struct DeviceFaultTests {
    private static let oracle = """
        {"op":"put","seq":1,"key":"YQ==","payload":"eA==","phase":"begin"}
        {"op":"put","seq":1,"key":"YQ==","payload":"eA=="}
        {"op":"put","seq":2,"key":"Yg==","payload":"eQ==","phase":"begin"}
        {"op":"put","seq":2,"key":"Yg==","payload":"eQ=="}

        """

    /// A recording of a block device with these events beside lines of the oracle.
    private func recording(_ events: [TraceEvent], sectorBytes: UInt64? = 4096) -> Recording {
        var recording = Recording(base: Tree(), events: events, payloads: PayloadArena())
        recording.sectorBytes = sectorBytes
        return recording
    }

    private static let line = TraceEvent.oracle(Payload(offsetBytes: 0, countBytes: 0))
    private static func fault(_ rule: String) -> TraceEvent { .fault(OperationID(7), rule: ByteString(rule)) }

    private static let faults: [(events: [TraceEvent], found: DeviceFault?)] = [
        ([], nil), ([line], nil),
        (
            [line, fault("write path=disk nth=3 -> EIO"), line, fault("read -> EIO")],
            DeviceFault(rule: "write path=disk nth=3 -> EIO", event: 2, linesBefore: 1)
        ),
        // A flush that lies loses data, too.
        ([fault("fsync nth=1 -> lie")], DeviceFault(rule: "fsync nth=1 -> lie", event: 1, linesBefore: 0)),
        // Nothing is lost by a delay.
        ([fault("write -> delay 1ms"), fault("any -> delay 1ms")], nil),
        (
            [fault("write -> delay 1ms"), line, fault("write -> drop")],
            DeviceFault(rule: "write -> drop", event: 3, linesBefore: 1)
        ),
        // Unknown text counts: a loss is rather the filesystem's than the store's.
        ([fault("?")], DeviceFault(rule: "?", event: 1, linesBefore: 0)),
    ]

    @Test(arguments: faults.indices) func `the first fault that may lose something is found`(index: Int) {
        let (events, found) = Self.faults[index]
        #expect(recording(events).deviceFault == found)
        #expect(recording(events, sectorBytes: nil).deviceFault == nil, "files")
    }

    private func validator() throws -> Validator {
        var validator = Validator(.everything)
        var reader = OracleReader()
        let text = Array(Self.oracle.utf8)
        try reader.read(text.span) { line, number throws(OracleError) in
            try validator.apply(line, at: number)
        }
        return validator
    }

    @Test func `a loss after it is the filesystem's, and one before it the store's`() throws {
        let fault = DeviceFault(rule: "write nth=3 -> EIO", event: 9, linesBefore: 3)
        let judge = EvidenceJudge(try validator(), .durable, deviceFault: fault)
        let lost = Evidence(.opened(Observation()))
        let before = judge.judge(lost, atLine: 2)
        #expect(before.verdict == .violation && before.broken == [.durable])
        for line in [3, 4] {
            let after = judge.judge(lost, atLine: line)
            #expect(after.verdict == .filesystem && after.broken == [.filesystem])
            #expect(after.violations.allSatisfy { $0.check == .filesystem && $0.storeCheck == .durable })
            #expect(after.violations.first?.key == "a")
            #expect(after.symptom?.error?.description.contains("durable") == true)
        }
        // What is whole stays right, and a store that does not open is no violation, either.
        let whole = Evidence(.opened(Observation(["a": Array("x".utf8), "b": Array("y".utf8)])))
        #expect(judge.judge(whole, atLine: 4).violations.isEmpty)
        let closed = judge.judge(Evidence(.failed(reason: "no")), atLine: 4)
        #expect(closed.verdict == .filesystem && closed.violations.first?.storeCheck == .opens)
        #expect(EvidenceJudge(try validator(), .durable).judge(lost, atLine: 4).verdict == .violation)
    }
}
