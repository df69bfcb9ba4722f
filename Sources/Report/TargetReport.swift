import Bytes
import Targets

/// Explains one target: its manifest and its commands.
package struct TargetReport: Encodable {
    private var name: String
    private var description: String
    private var source: String
    private var contract: String
    private var contracts: [String]
    private var parameters: [Field]
    private var workload: [String]
    private var recover: [String]
    private var persistent: Bool
    private var initialise: [String]?
    private var check: [String]?
    private var server: Server?
    private var ignore: [String]?
    private var user: String?
    private var directory: String?
    private var timeoutSeconds: Int
    private var known: [KnownFinding]

    private enum CodingKeys: String, CodingKey {
        case name, description, source, contract, contracts, parameters, workload, recover, persistent, check, server,
            ignore,
            user, directory, timeoutSeconds, known
        case initialise = "init"
    }

    private struct Field: Encodable {
        var name: String
        var values: [String]
    }

    private struct Server: Encodable {
        var start: [String]
        /// `port`, `socket` or the words of a command.
        var ready: [String]
        var stop: [String]?
        var log: String?
        var timeoutSeconds: Int

        init(_ settings: ServerSettings) {
            start = settings.start.map(\.description)
            ready =
                switch settings.ready {
                case .port: ["port"]
                case .socket: ["socket"]
                case .command(let words): words.map(\.description)
                }
            stop = settings.stop?.map(\.description)
            log = settings.log?.description
            timeoutSeconds = settings.timeoutSeconds
        }
    }

    package init(_ target: Target) {
        initialise = target.initialise?.map(\.description)
        check = target.check?.map(\.description)
        server = target.server.map(Server.init)
        ignore = target.ignored.isEmpty ? nil : target.ignored.map(\.description)
        user = target.user
        name = target.name
        description = target.description
        source = target.source
        contract = target.contract.name
        contracts = target.contractExceptions.map { exception in
            let settings = exception.settings.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
            return "\(settings): \(exception.contract.name)"
        }
        parameters = target.parameters.map { Field(name: $0.name, values: $0.values) }
        workload = target.workload.map(\.description)
        recover = target.recover.map(\.description)
        persistent = target.isPersistent
        directory = target.directory?.description
        timeoutSeconds = target.timeoutSeconds
        known = target.known
    }

    package var lines: [ReportLine] {
        var lines: [ReportLine] = [ReportLine(description.isEmpty ? name : "\(name): \(description)")]
        func add(_ title: String, _ value: String) {
            lines.append("  \(title.padded(to: 11))\(value)")
        }
        if !source.isEmpty { add("source", source) }
        add("promise", contract)
        for exception in contracts { add("", exception) }
        for parameter in parameters { add("--set", "\(parameter.name)=\(parameter.values.joined(separator: "|"))") }
        if let user { add("user", user) }
        if let initialise { add("init", initialise.joined(separator: " ")) }
        if let server {
            add("server", server.start.joined(separator: " "))
            add("  ready", server.ready.joined(separator: " ") + "   (within \(server.timeoutSeconds) s)")
            add("  stop", server.stop?.joined(separator: " ") ?? "SIGTERM")
            if let log = server.log { add("  log", log) }
        }
        add("workload", workload.joined(separator: " "))
        add("recover", recover.joined(separator: " ") + (persistent ? "   (stays alive: a directory a line)" : ""))
        if let check { add("check", check.joined(separator: " ")) }
        if let ignore { add("ignore", ignore.joined(separator: " ")) }
        if let directory { add("run in", directory) }
        add("timeout", "\(timeoutSeconds) s without a new oracle line, or in one recovery")
        for finding in known { add("known", "\(finding): \(finding.reason)") }
        return lines
    }
}

extension String {
    fileprivate func padded(to count: Int) -> String {
        self + String(repeating: " ", count: max(1, count - self.count))
    }
}
