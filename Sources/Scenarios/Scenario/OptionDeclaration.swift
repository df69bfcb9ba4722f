/// What there is to know of an option without knowing its scenario's type: how it is called, what it takes, where it may
/// stand. Flags, matrix keys, help and the table in docs/scenarios.md are made from it.
package struct OptionDeclaration: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case flag
        case integer
        case text
        /// May be given several times.
        case texts
    }

    /// As on the command line, without the hyphens before it.
    package var name: String
    package var kind: Kind
    /// What its value is called: `--cut-at <aim>`; nil for a flag.
    package var valueName: String?
    package var help: String
    /// The value without the option, in words; nil where the help says it.
    package var defaultText: String?
    /// Where it may be given.
    package var places: Set<OptionPlace> = [.commandLine, .matrix]
    /// It limits how long the run goes on, and not what the run does: two runs that differ only in such options can
    /// continue each other, and a case does not keep it.
    package var isLimit = false
    /// The printed command has it even where it has its default.
    package var isAlwaysPrinted = false
    /// Accepted and without effect: what earlier versions printed works on.
    package var isObsolete = false
    /// Another option without which it means nothing.
    package var needed: String?
    /// Options that cannot be given beside it.
    package var excluded: [String] = []
    /// Where `case.json` keeps it beneath `run`, such as `exploration.depth`; nil where it does not.
    package var planKey: String?
}
