/// The place where an option is given. It decides the spelling.
package enum OptionPlace: Hashable, Sendable, CaseIterable {
    /// `--cut-at recovery`
    case commandLine
    /// `cut_at: recovery`
    case matrix

    /// The spelling of an option name in this place.
    package func spelling(of name: String) -> String {
        switch self {
        case .commandLine: "--\(name)"
        case .matrix: name.replacing("-", with: "_")
        }
    }
}
