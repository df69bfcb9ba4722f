import Bytes
import Glibc
import Oracle
import Testing

@testable import Benchmarks

/// Oracles that took minutes once. The limit is one of processor time, far above what a debug build takes, on a busy machine too, so
/// that only growth in the square of the size exceeds it.
@Suite struct ValidationShapeTests {
    private static let count = 20_000

    private static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    @Test(.timeLimit(.minutes(5)), arguments: ValidationShape.allCases)
    func `an oracle of many of one thing is judged in seconds`(shape: ValidationShape) throws {
        let made = shape.makeCase(Self.count)
        let began = Self.processorSeconds()
        _ = try shape.judge(made)
        let seconds = Self.processorSeconds() - began
        #expect(seconds < 20, "\(shape.rawValue): \(seconds) s")
    }

    /// As an explorer judges: with the whole history kept, at lines of the past.
    @Test(.timeLimit(.minutes(5)), arguments: [ValidationShape.restarts, .livesOfOneKey, .answeredInOrder, .pipeline])
    func `so is one of which the whole history is kept, at any line`(shape: ValidationShape) throws {
        let made = shape.makeCase(Self.count)
        let began = Self.processorSeconds()
        var validator = Validator(.everything)
        for (index, line) in made.lines.enumerated() { try validator.apply(line, at: index + 1) }
        let last = validator.judge(made.observation, contract: shape.contract)
        #expect(last.verdict == shape.verdict, "\(last)")
        for line in stride(from: 1, to: validator.line, by: validator.line / 5) {
            _ = validator.judge(made.observation, contract: shape.contract, at: line)
        }
        let seconds = Self.processorSeconds() - began
        #expect(seconds < 20, "\(shape.rawValue): \(seconds) s")
    }
}
