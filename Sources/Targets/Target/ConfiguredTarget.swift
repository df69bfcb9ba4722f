import Bytes
import Oracle

/// A target with a value for each of its parameters: what a run drives.
package struct ConfiguredTarget: Sendable, CustomStringConvertible {
    package let target: Target
    /// A value for each parameter, in the target's order.
    package let configuration: [Setting]
    /// What came up about its commands while it was driven.
    package let remarks = Remarks()
    /// Both commands are subject to it.
    package var confinement = Confinement.whereLinksLeave

    init(target: Target, configuration: [Setting]) {
        self.target = target
        self.configuration = configuration
    }

    /// What the documentation promises of this configuration.
    package var contract: Contract {
        let exception = target.contractExceptions.first { exception in
            exception.settings.allSatisfy(configuration.contains)
        }
        return exception?.contract ?? target.contract
    }

    /// The same of so many clients at work at once: several have no single order that a crash could keep a beginning
    /// of.
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

    /// The same with only the parameters that differ from their defaults: `sqlite journal_mode=wal`.
    package var shortLabel: String {
        let usual = Dictionary(
            target.parameters.map { ($0.name, $0.values.first) }, uniquingKeysWith: { one, _ in one })
        let other = configuration.filter { usual[$0.name] != $0.value }
        return ([target.name] + other.map { "\($0.name)=\($0.value)" }).joined(separator: " ")
    }

    package var description: String { label }

    private func command(_ arguments: [ByteString]) -> Command {
        var command = Command(arguments.map(filledIn))
        command.environment.merge(target.environment.mapValues(filledIn)) { $1 }
        command.directory = target.directory
        command.sandbox = confinement.sandbox
        return command
    }

    /// Braces that name no parameter stay as they are.
    private func filledIn(_ argument: ByteString) -> ByteString {
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
