import ArgumentParser
import Report

extension Progress.Form: ExpressibleByArgument {}

/// The progress options of a run.
struct ProgressOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            What standard error says meanwhile: `line`, on a terminal a line that changes in place (rate, epochs done, \
            findings, time left), elsewhere nothing; `json`, an object a line for programs; `none`.
            """))
    var progress = Progress.Form.line
}
