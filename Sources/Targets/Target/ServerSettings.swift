import Bytes

/// A server that runs beside the workload and recover commands, which are its clients (`server:` in a manifest).
package struct ServerSettings: Sendable {
    /// How to find out that the server answers.
    package enum Readiness: Sendable {
        /// A command that exits with 0 once it does.
        case command([ByteString])
        /// It accepts a connection on `{port}`.
        case port
        /// It accepts a connection on `{socket}`.
        case socket
    }

    package var start: [ByteString]
    package var ready: Readiness
    /// The command that ends the server cleanly; nil for SIGTERM.
    package var stop: [ByteString]?
    /// Its log file; nil for what it prints.
    package var log: ByteString?
    /// Added to the environment of the target.
    package var environment: [ByteString: ByteString] = [:]
    /// The time limit for a start until the server is ready, and for a clean stop.
    package var timeoutSeconds = 30

    package init(start: [ByteString], ready: Readiness) { (self.start, self.ready) = (start, ready) }
}
