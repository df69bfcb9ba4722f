import Bytes

extension ServerSettings {
    private static let keys = ["start", "ready", "stop", "log", "environment", "timeoutSeconds"]

    /// Parses the value of the key `server`.
    ///
    /// - Parameter names: what may stand in braces.
    init(_ value: YAMLValue, _ names: [String]) throws(YAMLError) {
        let fields = try value.mapping("server", known: Self.keys)
        guard let start = fields["start"] else {
            throw value.error("server needs a key start: the command that starts it")
        }
        guard let ready = fields["ready"] else {
            throw value.error(
                "server needs a key ready: port, socket, or a command that exits with 0 once the server answers")
        }
        self.init(
            start: try Manifest.command(start, "server: start", names),
            ready: try Self.readiness(ready, names))
        try requireMentioned(ready)
        stop = try fields["stop"].map { (value) throws(YAMLError) in
            try Manifest.command(value, "server: stop", names)
        }
        log = try fields["log"].map { (value) throws(YAMLError) in
            try Manifest.argument(value, "server: log", names)
        }
        environment = try Manifest.environment(fields["environment"], names)
        timeoutSeconds = try fields["timeoutSeconds"]?.integer("timeoutSeconds", in: 1...3600) ?? timeoutSeconds
    }

    private static func readiness(_ value: YAMLValue, _ names: [String]) throws(YAMLError) -> Readiness {
        if case .some = try? value.list("ready") {
            return .command(try Manifest.command(value, "server: ready", names))
        }
        switch try value.text("ready") {
        case "port": return .port
        case "socket": return .socket
        case let other: throw value.error("ready must be port, socket or a command as a list, not \(other)")
        }
    }

    /// A server that is not told where to listen is never ready.
    private func requireMentioned(_ value: YAMLValue) throws(YAMLError) {
        let name: String
        switch ready {
        case .port: name = "port"
        case .socket: name = "socket"
        case .command: return
        }
        let texts = (start + environment.values).map(\.description)
        guard texts.contains(where: { $0.contains("{\(name)}") || $0.contains("{tmp}") || $0.contains("{dir}") }) else {
            throw value.error(
                "ready: \(name) needs a start command that listens there: pass it {\(name)} as an argument, or in a variable "
                    + "under environment of server")
        }
    }
}
