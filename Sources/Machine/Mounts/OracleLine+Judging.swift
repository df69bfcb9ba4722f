import FaultFS
import Oracle

extension OracleLine {
    /// Validates a line appended to a mount's oracle, for `MountOptions.judgeOracleLine`.
    @Sendable package static func judge(_ text: ArraySlice<UInt8>, _ number: Int) -> OracleLineJudgement {
        do throws(OracleError) {
            _ = try OracleLine.parse(text.span, line: number)
            return .complete
        } catch {
            if case .truncated = error { return .partial(reason: "\(error)") }
            return .invalid(reason: "\(error)")
        }
    }
}
