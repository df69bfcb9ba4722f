/// The name, value, help and allowed places of an option, without the type of its scenario. Flags, matrix keys, help
/// and the table in docs/scenarios.md follow from it.
package struct OptionDeclaration: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case flag
        case integer
        case text
        /// May be given several times.
        case texts
    }

    /// The name on the command line, without the leading hyphens.
    package var name: String
    package var kind: Kind
    /// The placeholder of the value, as in `--cut-at <aim>`; nil for a flag.
    package var valueName: String?
    package var help: String
    /// The default, in words; nil if the help describes it.
    package var defaultText: String?
    /// The places where the option may be given.
    package var places: Set<OptionPlace> = [.commandLine, .matrix]
    /// Whether the option only limits the duration of a run. Runs that differ only in limits can resume each other, and
    /// a case does not record limits.
    package var isLimit = false
    /// Whether the printed command includes the option even with its default.
    package var isAlwaysPrinted = false
    /// Whether the option is accepted without effect, so that commands printed by earlier versions work.
    package var isObsolete = false
    /// Another option that this one requires.
    package var needed: String?
    /// Options that exclude this one.
    package var excluded: [String] = []
    /// The key below `run` in `case.json`, such as `exploration.depth`; nil if a case does not record the option.
    package var planKey: String?
}
