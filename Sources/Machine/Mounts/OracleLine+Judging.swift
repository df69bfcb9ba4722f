import FaultFS
import Oracle

extension OracleLine {
    /// Judges what somebody appends to the oracle of a mount: `MountOptions.judgeOracleLine`.
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
