import Bytes
import Model

/// How the commands of a target are kept from writing outside of the states that they recover.
///
/// A state that was not recorded here in this run is foreign: whoever made it chose its links, the paths and process ids
/// in its files, and nobody here has looked at them.
package enum Confinement: Hashable, Sendable {
    /// Of a run of our own: the store does as it likes while it lives, and so does a recovery, except of a state with a
    /// link that leaves it. Thousands of those are recovered, and what the link leads to was never theirs.
    case whereLinksLeave
    /// Everything runs in a sandbox.
    case sandbox(Sandbox)
    /// No whole sandbox works here: a state with a link that leaves it is refused. What Landlock alone can deny is denied.
    case refusingLinks(obstacle: String, Sandbox?)
    /// Somebody said that the state is to be trusted.
    case none

    /// For what comes from elsewhere.
    ///
    /// - Parameters:
    ///   - directory: where states are recovered: it may be written.
    ///   - place: where the sandbox keeps its own; nil for within `directory`.
    ///   - trusts: where no whole sandbox works, links are followed.
    package static func foreign(
        in directory: ByteString, private place: ByteString? = nil, trusts: Bool, trial: SandboxTrial = .here
    ) throws(TargetError) -> Confinement {
        let layers = trial.layers
        if layers.isWhole { return .sandbox(try Sandbox(directory, private: place, layers: layers)) }
        if trusts { return .none }
        let partial = layers.landlock > 0 ? try Sandbox(directory, private: place, layers: layers) : nil
        return .refusingLinks(obstacle: trial.obstacle ?? "it was not tried", partial)
    }

    var sandbox: Sandbox? {
        switch self {
        case .sandbox(let sandbox): sandbox
        case .refusingLinks(_, let sandbox): sandbox
        case .whereLinksLeave, .none: nil
        }
    }
}

extension ConfiguredTarget {
    /// The target as it may recover a state that holds these links, in a directory within `directory`.
    ///
    /// - Throws: `leavingLink` if it may not.
    package func confined(
        for links: [EscapingLink], in directory: ByteString, trial: @autoclosure () -> SandboxTrial = .here
    ) throws(TargetError) -> ConfiguredTarget {
        guard let link = links.first else { return self }
        switch confinement {
        case .sandbox, .none: return self
        case .refusingLinks(let obstacle, _): throw .leavingLink(link, .noSandbox(obstacle: obstacle))
        case .whereLinksLeave:
            let layers = trial().layers
            guard layers.isWhole else { return self }
            var target = self
            target.confinement = .sandbox(try Sandbox(directory, layers: layers))
            return target
        }
    }
}
