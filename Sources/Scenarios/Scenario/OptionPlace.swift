/// Where an option is given, which decides how it is spelled.
package enum OptionPlace: Hashable, Sendable, CaseIterable {
    /// `--cut-at recovery`
    case commandLine
    /// `cut_at: recovery`
    case matrix

    /// The option of this name as users of this place write it.
    package func spelling(of name: String) -> String {
        switch self {
        case .commandLine: "--\(name)"
        case .matrix: name.replacing("-", with: "_")
        }
    }
}
