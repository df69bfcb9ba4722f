import Glibc
import Oracle
import Platform

/// An oracle sink that accepts a limited number of acknowledgements and then blocks forever, until the process is
/// killed. A kill then finds exactly that many acknowledgements in the oracle, with later operations in flight.
///
/// Thread safe.
package final class AcknowledgementLimiter<Sink: OracleSink>: OracleSink {
    private let oracle: Sink
    private let left: Guarded<UInt64>

    /// - Parameter count: the number of acknowledgements to pass on; nil for all.
    package init(_ oracle: Sink, count: UInt64?) {
        self.oracle = oracle
        left = Guarded(count ?? .max)
    }

    package func append(_ line: OracleLine) throws {
        guard case .acknowledged = line else { return try oracle.append(line) }
        let isWritten = try left.withLock { left in
            guard left > 0 else { return false }
            left -= 1
            try oracle.append(line)
            return true
        }
        while !isWritten { pause() }
    }
}
