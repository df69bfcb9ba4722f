import ArgumentParser

struct TraceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "Looks into a trace: what a store did to its storage.",
        discussion: """
            A trace holds the tree before the run, every operation and barrier with its data, every oracle line at its \
            place among them, and every injected fault. A trace that was cut off is read up to where it ends, which is \
            said on standard error; docs/trace-format.md describes the file.
            """,
        subcommands: [TraceShowCommand.self, TraceStatsCommand.self, TraceDiffCommand.self, TraceImportCommand.self])
}
