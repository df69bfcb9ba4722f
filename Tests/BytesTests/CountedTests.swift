import Bytes
import Testing

struct CountedTests {
    @Test(arguments: [(0, "0 records"), (1, "1 record"), (2, "2 records"), (11, "11 records")])
    func oneIsOneAndAllElseIsMany(_ count: Int, _ words: String) {
        #expect(count.counted("record") == words)
        #expect(UInt64(count).counted("entry", "entries") == (count == 1 ? "1 entry" : "\(count) entries"))
    }
}
