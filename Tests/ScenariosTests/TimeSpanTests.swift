import Testing

@testable import Runs

struct TimeSpanTests {
    @Test(
        arguments: [
            ("90", 90_000), ("90s", 90_000), ("10m", 600_000), ("8h", 28_800_000), ("2d", 172_800_000), ("300ms", 300),
            ("0", nil), ("-1s", nil), ("1.5s", nil), ("", nil), ("ms", nil), ("m", nil), ("5x", nil), ("1000001", nil),
        ] as [(String, Int?)])
    func aTimeIsANumberAndAUnit(_ text: String, _ milliseconds: Int?) {
        #expect(TimeSpan(argument: text)?.milliseconds == milliseconds)
    }

    @Test func whereSecondsCountATimeIsNeverRoundedToNothing() {
        #expect(TimeSpan(argument: "1ms")?.seconds == 1 && TimeSpan(argument: "1001ms")?.seconds == 2)
        #expect("\(TimeSpan(milliseconds: 5000)) \(TimeSpan(milliseconds: 300))" == "5s 300ms")
    }
}
