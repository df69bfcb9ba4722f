import ArgumentParser
import Bytes
import FaultFS
import Glibc
import Machine
import Model
import Scenarios
import Storage

extension CrashEffect: ExpressibleByArgument {}

struct MountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mount",
        abstract: "Mounts a directory through a filesystem that fails on purpose, for any program.",
        discussion: """
            Programs use MOUNT like any directory; what they do lands in BACKING. The mount is ready when this command \
            returns; its process goes on in the background until `faultline unmount MOUNT`.

              faultline mount /tmp/store /tmp/mnt --rule 'fsync path=*.wal nth=3 -> EIO lose'
              echo 'add write path=** after=10MiB -> ENOSPC' > /tmp/mnt/.faultline/control
              cat /tmp/mnt/.faultline/rules        how often each rule matched and fired
              cat /tmp/mnt/.faultline/unsynced     what a crash could lose now
              echo 'effect=torn seed=7' > /tmp/mnt/.faultline/crash      the power goes
              cat /tmp/mnt/.faultline/crash        what was lost
              faultline unmount /tmp/mnt           /tmp/store is as the crash left it; mount it again and recover

            Without a crash an unmount keeps everything. docs/fault-rules.md has the rules, docs/faultfs.md the rest. \
            A mount whose process was killed is taken away by `faultline cleanup`, or by the next mount at its place.
            """)

    @Argument(help: "The directory that holds the files. Nothing else may change it meanwhile.")
    var backing: ByteString

    @Argument(help: "An empty directory, in which the files appear.")
    var mountPoint: ByteString

    @Option(
        name: .customLong("rule"), help: "A fault to inject, such as 'write path=*.db nth=9 -> EIO'. May be repeated.")
    var ruleTexts: [String] = []

    @Option(name: .customLong("rules"), help: "A file of rules, one a line; # begins a comment. May be a pipe.")
    var rulesFile: ByteString?

    @Option(help: "A file of faults as .faultline/faults lists them, to be injected again instead of rules.")
    var replay: ByteString?

    @Option(help: "Keep the trace of every operation in this new file, for `faultline trace`.")
    var record: ByteString?

    @Flag(name: .customLong("no-record"), help: "Record nothing. Faster; a crash then loses nothing.")
    var recordsNothing = false

    @Option(help: "A file outside that receives what is appended to .faultline/oracle.")
    var oracle: ByteString?

    @Option(help: "Which sets of unsynced changes may survive a crash.")
    var profile: Profile = .ext4Ordered

    @Option(help: "The effect of a crash that names none: drop, keep, seeded, torn or reordered.")
    var effect: CrashEffect = .drop

    @Option(help: "The seed of all chance: the same seed and operations give the same faults.")
    var seed: UInt64 = 1

    @Flag(help: "Let other users in (allow_other); the kernel checks permissions.")
    var allowOther = false

    @Flag(help: "Serve in this process, until Ctrl-C or an unmount.")
    var foreground = false

    /// The first arguments of a background serving process.
    static let serviceWords = ["mount", "--service-directory"]

    @Option(help: .hidden)
    var serviceDirectory: ByteString?

    func validate() throws {
        guard profile != .block else { throw ValidationError("--profile block is for block devices") }
        if recordsNothing, record != nil { throw ValidationError("--record and --no-record exclude each other") }
        if replay != nil, !ruleTexts.isEmpty || rulesFile != nil {
            throw ValidationError("--replay injects the faults of an earlier mount and takes no rules")
        }
    }

    func run() throws {
        if let serviceDirectory { return try serveInBackground(ServiceDirectory(path: serviceDirectory)) }
        let request = try request()
        let directory = try ServiceDirectory()
        if foreground {
            try serve(request, directory) { StandardError.say("faultline: mounted \(backing) at \(mountPoint)") }
            return
        }
        do {
            try MountLauncher.start(arguments(request, directory), directory)
        } catch {
            try? directory.remove()
            throw error
        }
        // Print only on a terminal: a script checks the exit code.
        if isatty(STDERR_FILENO) == 1 {
            StandardError.say("mounted \(backing) at \(mountPoint); log: \(directory.log)")
        }
    }

    // MARK: Serving

    /// Serves in the background process; reports to the waiting process and to the log.
    private func serveInBackground(_ directory: ServiceDirectory) throws {
        var isReady = false
        do {
            try serve(try request(), directory) {
                isReady = true
                MountLauncher.report(nil, to: MountLauncher.reportDescriptor)
            }
        } catch {
            guard isReady else {
                MountLauncher.report("\(error)", to: MountLauncher.reportDescriptor)
                throw ExitStatus.error
            }
            throw error
        }
    }

    private func serve(_ request: MountRequest, _ directory: ServiceDirectory, ready: () throws -> Void) throws {
        let interruption = Interruption.shared
        let service = try MountService(request, directory) { StandardError.say($0) }
        try interruption.awaiting {
            let stop = interruption.register { service.stop() }
            defer { stop.cancel() }
            // A signal may have arrived before the cleaner was registered.
            if interruption.isInterrupted { service.stop() }
            try service.run(ready: ready)
            // Keep the log only after an error.
            try directory.remove()
        }
        interruption.waitIfInterrupted()
    }

    // MARK: Words

    private func request() throws -> MountRequest {
        var request = MountRequest(
            backing: try ArgumentPath.existing(backing), mountPoint: try ArgumentPath.existing(mountPoint))
        request.rules = try RuleArguments.rules(ruleTexts, file: rulesFile)
        request.script = try replay.map { try RuleFile.script($0) }
        if recordsNothing { request.recording = .nothing }
        if let record { request.recording = .file(try ArgumentPath.new(record)) }
        request.oracle = try oracle.map { try ArgumentPath.new($0) }
        if let oracle = request.oracle { try refuseInput(oracle) }
        request.cut = CutRequest(profile: profile, effect: effect, seed: seed)
        request.allowOther = allowOther
        return request
    }

    /// Throws if `output` is one of this command's input files.
    private func refuseInput(_ output: ByteString) throws {
        for input in [rulesFile, replay].compactMap(\.self) {
            var (own, other) = (stat(), stat())
            guard output.withCString({ stat($0, &own) }) == 0, input.withCString({ stat($0, &other) }) == 0,
                own.st_dev == other.st_dev && own.st_ino == other.st_ino
            else { continue }
            throw OutputError(output, .isInput)
        }
    }

    /// The arguments of the background process, which runs in the root directory.
    private func arguments(_ request: MountRequest, _ directory: ServiceDirectory) throws -> [String] {
        var words = Self.serviceWords + [try ArgumentPath.argument(directory.path)]
        for rule in request.rules { words += ["--rule", "\(rule)"] }
        if let script = request.script {
            // Write a copy, because the input may have been a pipe.
            let copy = directory.path.appending(component: "replay")
            try OutputFile.create(copy, Array("\(script)".utf8))
            words += ["--replay", try ArgumentPath.argument(copy)]
        }
        switch request.recording {
        case .nothing: words.append("--no-record")
        case .unnamed: break
        case .file(let path): words += ["--record", try ArgumentPath.argument(path)]
        }
        if let oracle = request.oracle { words += ["--oracle", try ArgumentPath.argument(oracle)] }
        words += ["--profile", profile.rawValue, "--effect", effect.rawValue, "--seed", "\(seed)"]
        if allowOther { words.append("--allow-other") }
        return try words + ["--", ArgumentPath.argument(request.backing), ArgumentPath.argument(request.mountPoint)]
    }
}
