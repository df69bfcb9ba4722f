import Bytes
import Oracle

/// A target with a value for each parameter. A run uses one of these.
package struct ConfiguredTarget: Sendable, CustomStringConvertible {
    package let target: Target
    /// A value for each parameter, in the target's order.
    package let configuration: [Setting]
    /// Warnings about its commands.
    package let warnings = TargetWarnings()
    /// The ignored files of its recordings.
    package let ignoredFiles = IgnoredFiles()
    /// The TMPDIR of both commands, which the run removes; nil for that of this process. In a sandbox they have another one.
    package var temporaryDirectory: ByteString?
    /// The confinement of both commands.
    package var confinement = Confinement.onlyEscapingLinks

    /// Where the store of a command is, if its arguments may say so.
    private var place = StorePlace()

    init(target: Target, configuration: [Setting]) {
        self.target = target
        self.configuration = configuration
    }

    /// The contract that the store's documentation gives this configuration.
    package var contract: Contract {
        let exception = target.contractExceptions.first { exception in
            exception.settings.allSatisfy(configuration.contains)
        }
        return exception?.contract ?? target.contract
    }

    /// The known findings of this configuration.
    package var known: [KnownFinding] { target.known.filter { $0.applies(in: configuration) } }

    /// The contract for so many concurrent clients: several clients have no total order of operations.
    package func contract(clients: Int) -> Contract {
        clients > 1 ? contract.forSeveralWriters : contract
    }

    package var workload: Command { command(target.workload) }
    package var recover: Command { command(target.recover) }

    /// Every command of the manifest with its key, for a check of their programs.
    var namedCommands: [(name: String, command: Command)] {
        var commands = [("workload", target.workload), ("recover", target.recover)]
        if let initialise = target.initialise { commands.append(("init", initialise)) }
        if let check = target.check { commands.append(("check", check)) }
        if let server = target.server {
            commands.append(("server: start", server.start))
            if case .command(let words) = server.ready { commands.append(("server: ready", words)) }
            if let stop = server.stop { commands.append(("server: stop", stop)) }
        }
        return commands.map { ($0, command($1)) }
    }

    /// A command of the manifest, with the values of parameters and of `place` filled in.
    func command(_ arguments: [ByteString], at place: StorePlace) -> Command {
        var configured = self
        configured.place = place
        return configured.command(arguments)
    }

    package func workload(at endpoint: ServerEndpoint) -> Command { client(target.workload, at: endpoint) }
    package func recover(at endpoint: ServerEndpoint) -> Command { client(target.recover, at: endpoint) }

    private func client(_ arguments: [ByteString], at endpoint: ServerEndpoint) -> Command {
        let place = StorePlace(nil, endpoint)
        var command = command(arguments, at: place)
        command.environment.merge(place.variables) { $1 }
        return command
    }

    /// An endpoint for the target's server and its clients.
    func makeEndpoint() throws(TargetError) -> ServerEndpoint {
        try ServerEndpoint(in: confinement.sandbox?.temporary ?? temporaryDirectory)
    }

    /// A command of the server, which knows where it listens.
    func serverCommand(_ arguments: [ByteString], _ settings: ServerSettings, at place: StorePlace) -> Command {
        var command = command(arguments, at: place)
        command.environment.merge(settings.environment.mapValues { substituted($0, at: place) }) { $1 }
        command.environment.merge(place.variables) { $1 }
        return command
    }

    /// The text with the values of parameters and of `place` filled in.
    func substituted(_ text: ByteString, at place: StorePlace) -> ByteString {
        var configured = self
        configured.place = place
        return configured.substituted(text)
    }
    package var isPersistent: Bool { target.isPersistent }

    /// `sqlite journal_mode=wal synchronous=full`
    package var label: String {
        ([target.name] + configuration.map { "\($0.name)=\($0.value)" }).joined(separator: " ")
    }

    /// The label without default values: `sqlite journal_mode=wal`.
    package var shortLabel: String {
        let defaults = Dictionary(
            target.parameters.map { ($0.name, $0.values.first) }, uniquingKeysWith: { one, _ in one })
        let other = configuration.filter { defaults[$0.name] != $0.value }
        return ([target.name] + other.map { "\($0.name)=\($0.value)" }).joined(separator: " ")
    }

    package var description: String { label }

    private func command(_ arguments: [ByteString]) -> Command {
        var command = Command(arguments.map(substituted))
        if let temporaryDirectory { command.environment["TMPDIR"] = temporaryDirectory }
        command.environment.merge(target.environment.mapValues(substituted)) { $1 }
        command.directory = target.directory
        command.user = target.user
        command.sandbox = confinement.sandbox
        return command
    }

    /// Replaces `{parameter}`, `{dir}` and the like by their values. Braces around other names stay.
    private func substituted(_ argument: ByteString) -> ByteString {
        var rest = argument.bytes[...]
        var filled: [UInt8] = []
        while let open = rest.firstIndex(of: UInt8(ascii: "{")) {
            filled += rest[..<open]
            rest = rest[open...]
            if let setting = configuration.first(where: { rest.starts(with: "{\($0.name)}".utf8) }) {
                filled += setting.value.utf8
                rest = rest.dropFirst(setting.name.utf8.count + 2)
            } else if let (name, value) = place.values.first(where: { rest.starts(with: "{\($0.key)}".utf8) }) {
                filled += value.bytes
                rest = rest.dropFirst(name.utf8.count + 2)
            } else {
                filled.append(rest.removeFirst())
            }
        }
        return ByteString(filled + rest)
    }
}
