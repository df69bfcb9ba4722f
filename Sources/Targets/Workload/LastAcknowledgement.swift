import Glibc
import Oracle
import Platform

/// An oracle that takes so many acknowledgements and no more: whoever would write one more waits for ever, as the process is
/// about to be killed. So a kill at an acknowledgement finds exactly that many, and the operations behind it at work.
///
/// Thread safe.
package final class LastAcknowledgement<Sink: OracleSink>: OracleSink {
    private let oracle: Sink
    private let left: Guarded<UInt64>

    /// - Parameter count: how many acknowledgements are passed on; all of them without one.
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
