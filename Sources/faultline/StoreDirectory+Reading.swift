import Engine
import Glibc
import Machine
import Report
import Scenarios
import Storage

/// Reading beside whoever writes, and saying what may be missing.
extension StoreDirectory {
    /// Runs `body` with what is there. Ends with 3, after `body`, when something may be missing from the end of the log: a
    /// value may then be an older one than was acknowledged, and an absent key may have one.
    func withSnapshot(_ body: (KeyValueSnapshot) throws -> Void) throws {
        let snapshot = try naming {
            let storage = try storage()
            return try Self.settled({ try KeyValueSnapshot.open(storage: storage) }, \.recoveryReport)
        }
        let report = snapshot.recoveryReport
        for doubt in report.doubts { StandardError.say("faultline: \(doubt)") }
        if report.bytesDiscarded > 0 {
            StandardError.say("faultline: \(report.bytesDiscarded.counted("byte")) behind the last record: not shown")
        }
        do { try naming { try body(snapshot) } } catch ExitStatus.violation where !report.ending.isCertain {
            throw ExitStatus.inconclusive
        }
        if !report.ending.isCertain { throw ExitStatus.inconclusive }
    }

    /// Reads again as long as the end of the log leaves a doubt and changes: a record that a writer is in the middle of looks
    /// like a torn one.
    static func settled<Result>(
        _ read: () throws -> Result, _ report: (Result) -> RecoveryReport
    ) throws -> Result {
        var result = try read()
        for _ in 0..<20 where !report(result).ending.isCertain {
            let before = report(result)
            usleep(50_000)
            result = try read()
            if report(result) == before { break }
        }
        return result
    }
}
