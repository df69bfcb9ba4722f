import Model

/// Why a state with a link out of it was not recovered.
package enum LinkRejection: Hashable, Sendable {
    /// No complete sandbox works here.
    case noSandbox(obstacle: String)
    /// The store does not open in a sandbox, possibly because of the link.
    case sandboxed(reason: String)
}

extension LinkRejection {
    func message(_ link: EscapingLink) -> String {
        switch self {
        case .noSandbox(let obstacle):
            "the link \(link) leads out of the store's directory: recovery could change its target, and no sandbox works "
                + "here that prevents this (\(obstacle); see `faultline doctor`). Use --trust to follow it if you trust "
                + "its author"
        case .sandboxed(let reason):
            "the store does not open in a sandbox, where it can write only to its own directory, and its link \(link) "
                + "leads out: \(reason). Use --no-sandbox to let it write there, if you own the target"
        }
    }
}
