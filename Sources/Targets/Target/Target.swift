import Bytes
import Oracle

/// A store under test and how to drive it: a workload command and a recover command.
///
/// An argument may name a parameter in braces, `{journal_mode}`, and gets the configuration's value for it.
package struct Target: Sendable {
    package var name: String
    /// One line.
    package var description: String
    /// Where the store's documentation promises what `contract` demands.
    package var source: String
    /// What the store promises by default.
    package var contract: Contract
    /// Configurations that promise something else.
    package var contractExceptions: [ContractException] = []
    package var workload: [ByteString]
    package var recover: [ByteString]
    /// The recover command stays alive: one directory a line in, a dump each out, until its input ends.
    package var isPersistent = false
    /// The store promises to notice bytes that storage changed (it has checksums over all that it reads): it may refuse
    /// then, and must not show them.
    package var detectsCorruption = false
    package var parameters: [Parameter] = []
    /// What is wrong with the store and accepted.
    package var known: [KnownFinding] = []
    /// Added to what every target gets.
    package var environment: [ByteString: ByteString] = [:]
    /// Where the commands run; nil for our own working directory.
    package var directory: ByteString?
    /// How long a workload may go on without a new line in the oracle, and how long one recovery may take.
    package var timeoutSeconds = 30
    /// Where it was read from; nil for a target that comes with Faultline.
    package var manifest: ManifestFile?

    package struct ManifestFile: Hashable, Sendable {
        /// Absolute.
        package var path: ByteString
        package var text: [UInt8]
    }

    /// How the command line means this target: its name, or the path of its manifest.
    package var reference: ByteString { manifest?.path ?? ByteString(name) }

    /// Where every one of `settings` holds, the documentation promises `contract` and no more.
    package struct ContractException: Sendable {
        package var settings: [Setting]
        package var contract: Contract
    }

    package init(
        name: String, description: String, source: String, contract: Contract, workload: [ByteString],
        recover: [ByteString]
    ) {
        self.name = name
        self.description = description
        self.source = source
        self.contract = contract
        self.workload = workload
        self.recover = recover
    }

    /// The configuration in which `settings` hold and every other parameter has its first value. A later setting of
    /// the same parameter replaces an earlier one.
    package func configured(_ settings: [Setting] = []) throws(TargetError) -> ConfiguredTarget {
        for setting in settings {
            guard let parameter = parameters.first(where: { $0.name == setting.name }) else {
                throw .unknownParameter(name: setting.name, target: name, known: parameters.map(\.name))
            }
            guard parameter.values.contains(setting.value) else {
                throw .valueNotAllowed(parameter: setting.name, value: setting.value, allowed: parameter.values)
            }
        }
        let configuration = parameters.map { parameter in
            let chosen = settings.last { $0.name == parameter.name }?.value
            return Setting(name: parameter.name, value: chosen ?? parameter.values.first ?? "")
        }
        return ConfiguredTarget(target: self, configuration: configuration)
    }

    /// Every combination of the parameters' values, the last parameter changing fastest.
    package var configurations: [ConfiguredTarget] {
        var combinations: [[Setting]] = [[]]
        for parameter in parameters {
            combinations = combinations.flatMap { settings in
                parameter.values.map { settings + [Setting(name: parameter.name, value: $0)] }
            }
        }
        return combinations.map { ConfiguredTarget(target: self, configuration: $0) }
    }
}
