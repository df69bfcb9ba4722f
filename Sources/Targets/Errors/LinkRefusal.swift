import Model

/// Why a link that leaves its state is not followed.
package enum LinkRefusal: Hashable, Sendable {
    /// Nothing works here that would keep the recovery in.
    case noSandbox(obstacle: String)
    /// In a sandbox the store does not open, and the link may be why.
    case sandboxed(reason: String)
}

extension LinkRefusal {
    func words(_ link: EscapingLink) -> String {
        switch self {
        case .noSandbox(let obstacle):
            "the link \(link) leads out of the store's directory: a recovery would change what is there, and no sandbox "
                + "works here that keeps it in (\(obstacle); see `faultline doctor`). --trust follows it, if you trust who "
                + "made it"
        case .sandboxed(let reason):
            "the store does not open in a sandbox, where nothing outside of its directory can be written, and its link "
                + "\(link) leads out: \(reason). --no-sandbox lets it write there, if that is yours to be written"
        }
    }
}
