import ArgumentParser

/// The root command: help and the subcommands, one file each.
struct FaultlineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "faultline",
        abstract: "Finds out whether a store keeps its promises when storage fails.",
        discussion: """
            Faultline runs a store's workload, makes its storage fail the way real storage does (the power goes and \
            what was not synced is dropped, torn or reordered), lets the store recover, and checks what came back \
            against a log of what the store had acknowledged.

              faultline matrix                 every built-in target under every scenario that works here
              faultline run sqlite --set journal_mode=delete --scenario power-cut
              faultline explore sqlite --set journal_mode=wal     every state that a crash could leave
              faultline replay RUN/cases/1     a failing crash again
              faultline explain RUN/cases/1    which sync is missing
              faultline recheck RUN/cases/1    its run again, after a fix: is the cause gone?
              faultline minimise RUN/cases/1     the same failure, as small as it gets
              faultline case export RUN/cases/1 -o case.tar   the crash as one file, for a bug report
              faultline report RUN -o run.html   a run, a case or a matrix as one HTML file
              faultline scenarios              the ways to fail a store, and their options
              faultline planted                bugs to plant in the built-in stores, and what finds each
              faultline schedules              the built-in engine under every interleaving of its threads
              faultline soak engine --duration 8h   one store for a night, with faults in turn: leaks, growth, violations
              faultline doctor                 what works here, and how to enable the rest
              faultline litmus FILE            what a crash may leave of a few file operations, and what ext4, xfs, btrfs leave
              faultline trace show RUN/recorded.trace   what a store did, operation by operation
              faultline store verify DIRECTORY   a store of the built-in engine: put, get, scan, verify …
              faultline workload, faultline validate    the two halves, for faults of your own
              faultline mount STORE MNT        a directory that fails on purpose, for any program
              faultline guest run -- COMMAND   a command as root in a virtual machine with device-mapper, without root here
              faultline cleanup                takes away what a killed run left behind

            A run is one workload on one target under one scenario. It is recorded once; every disk state that a crash \
            could have left is derived from that record. Each run has a directory, in ./faultline-runs or where \
            FAULTLINE_RUNS or --out say, with all that is needed to look into it and to do it again.

            Exit codes: 0 pass, 1 violation, 2 wrong usage or an error of the harness, 3 inconclusive. Results go to \
            standard output, progress to standard error. NO_COLOR turns colours off.
            """,
        version: Version.text,
        subcommands: [
            RunCommand.self, ExploreCommand.self, SoakCommand.self, MatrixCommand.self, MergeCommand.self,
            ReplayCommand.self, ExplainCommand.self, RecheckCommand.self, ConfirmCommand.self, LitmusCommand.self,
            MinimiseCommand.self, CaseCommand.self, ReportCommand.self, WorkloadCommand.self, ValidateCommand.self,
            MountCommand.self,
            UnmountCommand.self,
            TargetsCommand.self, ScenariosCommand.self, PlantedCommand.self, SchedulesCommand.self, DoctorCommand.self,
            TraceCommand.self, StoreCommand.self, BenchCommand.self, GuestCommand.self, CleanupCommand.self,
        ])
}
