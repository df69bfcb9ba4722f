import Bytes
import Model
import Oracle

/// A store under test with its workload command and its recover command.
///
/// `{journal_mode}` in an argument is replaced by the value of that parameter.
package struct Target: Sendable {
    package var name: String
    /// One line.
    package var description: String
    /// The place in the store's documentation that guarantees `contract`.
    package var source: String
    /// The store's default contract.
    package var contract: Contract
    /// Configurations with another contract.
    package var contractExceptions: [ContractException] = []
    package var workload: [ByteString]
    package var recover: [ByteString]
    /// The store's own checker, which runs on what each recovery left; nil if there is none.
    package var check: [ByteString]?
    /// The command that prepares an empty directory for the store before anything is recorded; nil if the store needs none.
    package var initialise: [ByteString]?
    /// The server that the workload and recover commands talk to; nil if they open the store themselves.
    package var server: ServerSettings?
    /// The user that all commands run as; nil for that of this process.
    package var user: String?
    /// Files that no promise of the store depends on: their unsynced changes are not varied.
    package var ignored: [Glob] = []
    /// Whether the recover command stays alive: it reads one directory per line and prints a dump for each, until its
    /// input ends.
    package var isPersistent = false
    /// Whether the store guarantees to detect corrupted bytes, as with checksums over all data: it may then fail, but
    /// must not return them.
    package var detectsCorruption = false
    package var parameters: [Parameter] = []
    /// Known and accepted failures.
    package var known: [KnownFinding] = []
    /// Added to the minimal environment.
    package var environment: [ByteString: ByteString] = [:]
    /// The working directory of the commands; nil for that of this process.
    package var directory: ByteString?
    /// The time limit for a workload without a new oracle line, and for a recovery.
    package var timeoutSeconds = 30
    /// Its manifest; nil for a built-in target.
    package var manifest: ManifestFile?

    package struct ManifestFile: Hashable, Sendable {
        /// Absolute.
        package var path: ByteString
        package var text: [UInt8]
    }

    /// The target's reference on the command line: its name, or the path of its manifest.
    package var reference: ByteString { manifest?.path ?? ByteString(name) }

    /// With all of `settings` the documentation guarantees only `contract`.
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

    /// The configuration with `settings` and the default values of all other parameters. A later setting of the same
    /// parameter replaces an earlier one.
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

    /// All combinations of parameter values; the last parameter changes fastest.
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
