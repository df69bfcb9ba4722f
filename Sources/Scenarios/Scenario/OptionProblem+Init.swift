import Targets

extension OptionProblem {
    /// The problem with `--with-init` for a target without an init command; nil if it has one.
    static func initCommandMissing(_ target: ConfiguredTarget) -> OptionProblem? {
        guard target.target.initialise == nil else { return nil }
        return OptionProblem(
            "with-init", "\(option: "with-init") needs a target with an init command: \(target.target.name) has none")
    }
}
