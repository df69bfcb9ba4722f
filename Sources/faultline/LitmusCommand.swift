import ArgumentParser
import Block
import Bytes
import Exploration
import Glibc
import Litmus
import Machine
import Model
import Report
import Runs
import Scenarios
import Storage
import Targets

struct LitmusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "litmus",
        abstract: "What a crash may leave of a few file operations, and what real filesystems leave.",
        discussion: """
              faultline litmus replace.litmus                        what each profile allows
              sudo faultline litmus replace.litmus --fs ext4,xfs     what these filesystems leave
              sudo faultline litmus Tests/ModelTests/Scripts --fs all      every script on every filesystem, as a table
              faultline litmus replace.litmus --fs ext4 --machine guest    on the guest's kernel, without root
              sudo faultline litmus --random 100 --seed 7 --fs btrfs

            A script is a text file (docs/crash-model.md):

              base
                create f A*4096
              run
                create f.new B*4096
                rename f.new f

            Without --fs the trees that each profile allows after the last step are printed. With it the script runs on the real \
            filesystem, whose device is recorded; every image that a power cut could have left of it, during the script and \
            after, is mounted and read. That needs root.

            Exits with 1 when a filesystem left what its profile does not allow: the profile is wrong then, and what it passes \
            cannot be trusted. With 3 when an image did not mount, or a filesystem is missing here.
            """)

    @Argument(help: "Scripts, or directories of them.")
    var scripts: [ByteString] = []

    @Option(name: .customLong("fs"), help: "The filesystems, with commas between them, or `all`: \(Self.names).")
    var filesystems: String?

    @Option(help: "Also this many random scripts.")
    var random: UInt64 = 0

    @Option(help: "The seed of the first random script.")
    var seed: UInt64 = 1

    @Option(
        name: .customLong("epoch-states"),
        help: "Between two flushes of the device, more states than this are searched and not exhausted.")
    var statesPerEpoch = LitmusLaboratory.defaultLimits.statesPerEpoch

    @Option(help: "Seeded choices where they are searched.")
    var samples = LitmusLaboratory.defaultLimits.samplesPerEpoch

    @Option(help: "Where the run directories are made (default: FAULTLINE_RUNS, else ./faultline-runs).")
    var out: ByteString?

    @OptionGroup(title: "Options of the guest") var machines: MachineOptions

    @OptionGroup var progress: ProgressOptions

    @OptionGroup var reports: ReportOptions

    private static let names = BlockFilesystem.allCases.map(\.rawValue).joined(separator: ", ")

    private var wanted: [BlockFilesystem] {
        get throws {
            guard let filesystems else { return [] }
            if filesystems == "all" { return BlockFilesystem.allCases.filter { $0.profile != nil } }
            return try filesystems.split(separator: ",", omittingEmptySubsequences: false).map { name in
                guard let filesystem = BlockFilesystem(rawValue: String(name)) else {
                    throw ValidationError("--fs must be `all` or of \(Self.names), not \(name)")
                }
                return filesystem
            }
        }
    }

    func validate() throws {
        _ = try wanted
        guard !scripts.isEmpty || random > 0 else {
            throw ValidationError(
                "name a script, a directory of scripts such as Tests/ModelTests/Scripts, or --random 40")
        }
        guard (1...1_000_000).contains(statesPerEpoch) else {
            throw ValidationError("--epoch-states must be from 1 to 1000000")
        }
        guard (0...1_000_000).contains(samples) else { throw ValidationError("--samples must be from 0 to 1000000") }
    }

    func run() throws {
        let filesystems = try wanted
        let scripts = try readScripts()
        guard !filesystems.isEmpty else { return try showAllowed(scripts) }
        if machines.choice == .guest { try GuestForwarding.again(on: machines.guest.configuration.machine()) }
        let reports = try reports.open(reading: self.scripts)
        let report = try Interruption.shared.awaiting {
            let report = try observe(scripts, filesystems)
            try reports.write(report)
            return report
        }
        Interruption.shared.waitIfInterrupted()
        throw ExitStatus(report.verdict)
    }

    // MARK: - Scripts

    private func readScripts() throws -> [LitmusScript] {
        var scripts = try self.scripts.flatMap { try Self.files(at: $0) }.map { try Self.script(at: $0) }
        var (next, count) = (seed, UInt64(0))
        while count < random {
            let script = try TraceGenerator.script(seed: next)
            next += 1
            guard script.isExecutable else { continue }
            scripts.append(script)
            count += 1
        }
        return scripts
    }

    private static func files(at path: ByteString) throws -> [ByteString] {
        var status = stat()
        guard path.withCString({ stat($0, &status) }) == 0, status.st_mode & S_IFMT == S_IFDIR else { return [path] }
        let names = (TreeListing.names(in: path) ?? []).filter { "\($0)".hasSuffix(".litmus") }.sorted()
        guard !names.isEmpty else { throw ValidationError("\(path) has no file whose name ends with .litmus") }
        return names.map { path.appending(component: $0) }
    }

    private static func script(at path: ByteString) throws -> LitmusScript {
        let name = "\(path)".split(separator: "/").last.map(String.init) ?? "\(path)"
        let text = String(decoding: try RunFiles.read(path), as: UTF8.self)
        let script = try LitmusScript(
            name: name.hasSuffix(".litmus") ? String(name.dropLast(7)) : name, text: text)
        _ = try LitmusTrace(script)
        return script
    }

    private func showAllowed(_ scripts: [LitmusScript]) throws {
        for script in scripts {
            let trace = try LitmusTrace(script)
            let outcomes = try script.profiles.map { ($0, try trace.outcomes($0, unitBytes: script.unitBytes)) }
            if scripts.count > 1 { StandardOutput.show("# \(script.name)") }
            StandardOutput.write(script.text(outcomes: outcomes))
        }
    }

    // MARK: - Filesystems

    private func observe(_ scripts: [LitmusScript], _ filesystems: [BlockFilesystem]) throws -> LitmusReport {
        var (observations, notes) = ([LitmusObservation](), [String]())
        let doctor = Doctor(driver: DoctorCommand.driver())
        let progress = Progress(self.progress.progress)
        let executable = scripts.filter(\.isExecutable)
        for filesystem in filesystems where !Interruption.shared.isInterrupted {
            if let obstacle = doctor.obstacle(to: BlockSetup(filesystem).needs) {
                notes.append("\(filesystem.rawValue) is left out: \(obstacle)")
                continue
            }
            do {
                try withLaboratory(filesystem) { laboratory in
                    for (number, script) in executable.enumerated() {
                        progress.show("\(filesystem.rawValue), \(number + 1) of \(executable.count): \(script.name)")
                        do { observations.append(try laboratory.observe(script)) } catch let error as BlockError {
                            // Skip it: the other results may have taken hours.
                            notes.append("\(script.name) on \(filesystem.rawValue) is left out: \(error)")
                        }
                    }
                }
            } catch let error as BlockError {
                notes.append("\(filesystem.rawValue) is left out: \(error)")
            } catch RunError.interrupted { notes.append("interrupted: the rest is left out") }
        }
        progress.clear()
        return LitmusReport(
            observations, of: executable, on: filesystems, kernel: RunResult.Block.runningKernel, notes: notes)
    }

    private func withLaboratory(_ filesystem: BlockFilesystem, _ body: (LitmusLaboratory) throws -> Void) throws {
        let run = try RunDirectory(
            in: RunDirectory.parent(option: out), target: "litmus", scenario: filesystem.rawValue, seed: seed)
        let result = Result {
            var limits = LitmusLaboratory.defaultLimits
            (limits.statesPerEpoch, limits.samplesPerEpoch) = (statesPerEpoch, samples)
            let context = try RunContext(run, wording: English(), shouldStop: { Interruption.shared.isInterrupted })
            try body(
                try LitmusLaboratory(filesystem, driver: TargetCatalog.besideThisProgram().driver, context, limits))
        }
        try run.finish()
        try TreeRemoval.remove(run.path)
        try result.get()
    }
}
