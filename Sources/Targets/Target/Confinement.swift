import Bytes
import Model

/// How a target's commands are prevented from writing outside the states that they recover.
///
/// A state that was not recorded in this run is foreign: its links, and the paths and process ids in its files, are
/// untrusted.
package enum Confinement: Hashable, Sendable {
    /// For our own runs: workload and recovery are unconfined, except that states with a link out of them are recovered
    /// in a sandbox. (Thousands of such states would otherwise all change the link's target.)
    case onlyEscapingLinks
    /// Everything runs in a sandbox.
    case sandbox(Sandbox)
    /// No complete sandbox works here: states with a link out of them are not recovered. Landlock is used if available.
    case rejectingEscapingLinks(obstacle: String, Sandbox?)
    /// The user trusts the state.
    case none

    /// The confinement for foreign states.
    ///
    /// - Parameters:
    ///   - directory: contains the recovered states; writable.
    ///   - privateDirectory: for the sandbox's own files; nil for a directory within `directory`.
    ///   - trusts: if no complete sandbox works, follow links.
    package static func foreign(
        in directory: ByteString, private privateDirectory: ByteString? = nil, trusts: Bool, trial: SandboxTrial = .here
    ) throws(TargetError) -> Confinement {
        let layers = trial.layers
        if layers.isWhole { return .sandbox(try Sandbox(directory, private: privateDirectory, layers: layers)) }
        if trusts { return .none }
        let partial = layers.landlock > 0 ? try Sandbox(directory, private: privateDirectory, layers: layers) : nil
        return .rejectingEscapingLinks(obstacle: trial.obstacle ?? "it was not tried", partial)
    }

    var sandbox: Sandbox? {
        switch self {
        case .sandbox(let sandbox): sandbox
        case .rejectingEscapingLinks(_, let sandbox): sandbox
        case .onlyEscapingLinks, .none: nil
        }
    }
}

extension ConfiguredTarget {
    /// The target, confined as needed to recover a state with these links in a directory below `directory`.
    ///
    /// - Throws: `leavingLink` if the state must not be recovered.
    package func confined(
        for links: [EscapingLink], in directory: ByteString, trial: @autoclosure () -> SandboxTrial = .here
    ) throws(TargetError) -> ConfiguredTarget {
        guard let link = links.first else { return self }
        switch confinement {
        case .sandbox, .none: return self
        case .rejectingEscapingLinks(let obstacle, _): throw .leavingLink(link, .noSandbox(obstacle: obstacle))
        case .onlyEscapingLinks:
            let layers = trial().layers
            guard layers.isWhole else { return self }
            var target = self
            target.confinement = .sandbox(try Sandbox(directory, layers: layers))
            return target
        }
    }
}
