import Bytes
import CPlatform
import Glibc
import Platform

/// A request to the keeper's thread to spawn a command, with its standard streams and its result.
final class SpawnRequest: Sendable {
    let serial: UInt64
    let done: OneWayFlag
    private let command: Command
    private let executable: ByteString
    private let identity: UserIdentity?
    /// The child's descriptors 0, 1 and 2; closed here after the spawn.
    private let theirs: [SharedDescriptor]
    private let input: SharedDescriptor?
    private let output: SharedDescriptor?
    private let errors: SharedDescriptor?
    private let outcome = Guarded<Result<ChildProcess, TargetError>?>(nil)

    init(_ command: Command, serial: UInt64) throws(TargetError) {
        try command.check()
        var marked = command
        marked.environment[ProcessFamily.variable] = SpawnMark(ours: serial).text
        identity = try command.user.map { (name) throws(TargetError) in try UserIdentity(named: name) }
        if let identity, command.environment["HOME"] == Command.plainEnvironment["HOME"] {
            marked.environment["HOME"] = identity.home
        }
        if let sandbox = command.sandbox { marked.environment["TMPDIR"] = sandbox.temporary }
        self.command = marked
        self.serial = serial
        executable = try command.executable()
        done = try TargetError.naming("eventfd") { () throws(Errno) in try OneWayFlag() }

        func pipe() throws(TargetError) -> (read: SharedDescriptor, write: SharedDescriptor) {
            try TargetError.naming("pipe2") { () throws(Errno) in try SharedDescriptor.pipe() }
        }
        let null = try TargetError.naming("open", "/dev/null") { () throws(Errno) in
            try SharedDescriptor.open("/dev/null", O_RDWR)
        }
        let toChild = command.input == .pipe ? try pipe() : nil
        let fromChild = command.output == .pipe ? try pipe() : nil
        let errorPipe = command.errors == .captured ? try pipe() : nil
        errorPipe?.read.setNonBlocking()
        let inherited =
            command.errors == .inherited
            ? try TargetError.naming("fcntl") { () throws(Errno) in try SharedDescriptor.duplicate(2) } : nil
        let second = errorPipe?.write ?? inherited ?? null
        theirs = [toChild?.read ?? null, command.output == .errors ? second : fromChild?.write ?? null, second]
        (input, output, errors) = (toChild?.write, fromChild?.read, errorPipe?.read)
    }

    /// Spawns the command. Runs on the keeper's thread.
    func launch(keeper: ProcessKeeper) throws(TargetError) -> ChildProcess {
        let arguments = CStringArray(command.arguments)
        let environment = CStringArray(
            command.environment.sorted { $0.key < $1.key }.map {
                ByteString($0.key.bytes + [UInt8(ascii: "=")] + $0.value.bytes)
            })
        let exited = try TargetError.naming("eventfd") { () throws(Errno) in try OneWayFlag() }
        let mark = SpawnMark(ours: serial)
        let result = executable.withCString { path in
            arguments.withPointers { arguments in
                environment.withPointers { environment in
                    var request = faultline_spawn_request()
                    request.executable = path
                    request.arguments = arguments
                    request.environment = environment
                    request.lock_limit = mark.limit
                    request.streams = (theirs[0].rawValue, theirs[1].rawValue, theirs[2].rawValue, -1)
                    guard let identity else { return spawn(&request) }
                    return identity.withRequest {
                        request.identity = $0
                        return spawn(&request)
                    }
                }
            }
        }
        guard result.stage == FAULTLINE_SPAWN_OK else { throw failure(result) }
        return ChildProcess(
            serial: serial, processID: result.pid, processDescriptor: SharedDescriptor(adopting: result.pidfd),
            exited: exited,
            input: input, output: output, errors: errors, keeper: keeper)
    }

    /// Spawns with the command's working directory and sandbox.
    private func spawn(_ request: inout faultline_spawn_request) -> faultline_spawn_result {
        guard let sandbox = command.sandbox else { return spawnInDirectory(&request) }
        return sandbox.withRequest(for: command, executable: executable) {
            request.sandbox = $0
            return spawnInDirectory(&request)
        }
    }

    private func spawnInDirectory(_ request: inout faultline_spawn_request) -> faultline_spawn_result {
        guard let directory = command.directory else { return faultline_spawn(&request) }
        return directory.withCString { directory in
            request.directory = directory
            return faultline_spawn(&request)
        }
    }

    func finish(_ result: Result<ChildProcess, TargetError>) {
        // Close our copies before the caller reads: a pipe ends only when all copies of its other end are closed.
        for descriptor in theirs { descriptor.close() }
        outcome.withLock { $0 = result }
        done.raise()
    }

    func result() throws(TargetError) -> ChildProcess {
        guard let result = outcome.withLock({ $0 }) else {
            throw .system(call: "spawn", path: executable, errno: EINTR)
        }
        return try result.get()
    }

    private func failure(_ result: faultline_spawn_result) -> TargetError {
        switch result.stage {
        case FAULTLINE_SPAWN_SANDBOX:
            .notConfined(
                program: executable, call: String(cString: faultline_sandbox_step_name(result.step)),
                errno: result.error)
        case FAULTLINE_SPAWN_IDENTITY:
            .system(call: "setresuid", path: ByteString(command.user ?? ""), errno: result.error)
        case FAULTLINE_SPAWN_DIRECTORY: .system(call: "chdir", path: command.directory, errno: result.error)
        case FAULTLINE_SPAWN_EXECUTE:
            .cannotRun(
                program: executable, directory: executable.bytes.first == UInt8(ascii: "/") ? nil : command.directory,
                errno: result.error)
        default: .system(call: "spawn", path: executable, errno: result.error)
        }
    }
}
