import Engine
import Glibc
import Machine
import Report
import Scenarios
import Storage

/// Reads alongside a writer, and reports what may be missing.
extension StoreDirectory {
    /// Runs `body` on a snapshot. Then exits with 3 if the end of the log may be missing: values may be older than
    /// acknowledged, and absent keys may have one.
    func withSnapshot(_ body: (KeyValueSnapshot) throws -> Void) throws {
        let snapshot = try naming {
            let storage = try storage()
            return try Self.settled({ try KeyValueSnapshot.open(storage: storage) }, \.recoveryReport)
        }
        let report = snapshot.recoveryReport
        for warning in report.warnings { StandardError.say("faultline: \(warning)") }
        if report.bytesDiscarded > 0 {
            StandardError.say("faultline: \(report.bytesDiscarded.counted("byte")) behind the last record: not shown")
        }
        do { try naming { try body(snapshot) } } catch ExitStatus.violation where !report.ending.isCertain {
            throw ExitStatus.inconclusive
        }
        if !report.ending.isCertain { throw ExitStatus.inconclusive }
    }

    /// Repeats the read while the end of the log is doubtful and still changes: a record being written looks torn.
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
