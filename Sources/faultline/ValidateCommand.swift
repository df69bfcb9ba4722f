import ArgumentParser
import Bytes
import Machine
import Oracle
import Report
import Runs
import Scenarios
import Targets

struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Recovers a store and checks what it shows against an oracle.",
        discussion: """
              faultline validate --target sqlite --work-dir /mnt/under-test/db --oracle /var/tmp/oracle
              faultline validate --target ./my-store.yaml --work-dir DIR --oracle FILE --contract prefix

            The store is recovered in its place, twice: keep a copy if you want to look at the files as they are. It can \
            write to that directory alone (docs/sandbox.md). Oracles \
            of other tools that hold acknowledgements alone (put and del, rising seq) are read as they are. Exits with 0 \
            pass, 1 violation, 2 wrong usage or a damaged oracle, 3 inconclusive.
            """)

    @Option(help: "A target's name, or the path of a manifest.")
    var target: String

    @Option(name: .customLong("set"), help: "A parameter of the target, as name=value.")
    var settings: [Setting] = []

    @Option(help: "The directory of the store.")
    var workDir: ByteString

    @Option(help: "The oracle that its workload wrote.")
    var oracle: ByteString

    @Option(help: "What the store is held to; by default what its documentation promises.")
    var contract: Contract?

    @Option(help: "Compare only this many values, sampled by --seed. The presence of every key is always checked.")
    var sample: Int?

    @Option(help: "Which keys are drawn.")
    var seed: UInt64 = 1

    @Option(help: "An oracle without intents: how many operations may have been under way at once.")
    var inFlight = 1

    @OptionGroup var sandbox: SandboxOptions

    @OptionGroup var reports: ReportOptions

    func validate() throws {
        guard sample ?? 1 > 0 else { throw ValidationError("--sample must be at least 1") }
        guard (0...1_000_000).contains(inFlight) else { throw ValidationError("--in-flight must be from 0 to 1000000") }
    }

    func run() throws {
        let reports = try reports.open(reading: [oracle])
        let target = try TargetCatalog.besideThisProgram().target(target).configured(settings)
        let validation = StandaloneValidation(
            target: target, directory: workDir, oracle: oracle, contract: contract ?? target.contract,
            sampleCount: sample, seed: seed, plainInFlight: inFlight, isSandboxed: sandbox.isOn)
        let outcome = try Interruption.shared.awaiting { try validation.run() }
        Interruption.shared.waitIfInterrupted()
        let report = ValidationReport(target.label, validation.contract, outcome)
        try reports.write(report)
        throw ExitStatus(outcome.verdict)
    }
}
