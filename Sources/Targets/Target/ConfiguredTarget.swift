import Bytes
import Oracle

/// A target with a value for each parameter. A run uses one of these.
package struct ConfiguredTarget: Sendable, CustomStringConvertible {
    package let target: Target
    /// A value for each parameter, in the target's order.
    package let configuration: [Setting]
    /// Warnings about its commands.
    package let warnings = TargetWarnings()
    /// The TMPDIR of both commands, which the run removes; nil for that of this process. In a sandbox they have another one.
    package var temporaryDirectory: ByteString?
    /// The confinement of both commands.
    package var confinement = Confinement.onlyEscapingLinks

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

    /// The contract for so many concurrent clients: several clients have no total order of operations.
    package func contract(clients: Int) -> Contract {
        clients > 1 ? contract.forSeveralWriters : contract
    }

    package var workload: Command { command(target.workload) }
    package var recover: Command { command(target.recover) }
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
        command.sandbox = confinement.sandbox
        return command
    }

    /// Replaces `{parameter}` by its value. Braces around other names stay.
    private func substituted(_ argument: ByteString) -> ByteString {
        var rest = argument.bytes[...]
        var filled: [UInt8] = []
        while let open = rest.firstIndex(of: UInt8(ascii: "{")) {
            filled += rest[..<open]
            rest = rest[open...]
            let setting = configuration.first { rest.starts(with: "{\($0.name)}".utf8) }
            if let setting {
                filled += setting.value.utf8
                rest = rest.dropFirst(setting.name.utf8.count + 2)
            } else {
                filled.append(rest.removeFirst())
            }
        }
        return ByteString(filled + rest)
    }
}
