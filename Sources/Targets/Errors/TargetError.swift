import Bytes
import Glibc
import Model
import Platform

/// A target could not be set up or driven. These errors are not results for the store: one that fails, hangs or does
/// not open is a result, not an error.
package enum TargetError: Error, Hashable, Sendable {
    case unknownTarget(name: String, known: [String])
    case unknownParameter(name: String, target: String, known: [String])
    case valueNotAllowed(parameter: String, value: String, allowed: [String])
    /// An invalid manifest.
    case manifest(YAMLError)
    /// A `--set` argument without `=`.
    case malformedSetting(String)
    /// The program that drives the built-in stores is missing.
    case driverMissing(path: ByteString)
    case commandNotFound(ByteString)
    /// Programs or scripts of a manifest's commands are missing.
    case commandsMissing([MissingFile])
    /// A recover command exited with 127 (program not found) or 126 (not executable), as a shell or env does.
    case recoverNotRun(command: [ByteString], code: Int32, said: String)
    /// The same for the command that is the store's own checker.
    case checkNotRun(command: [ByteString], code: Int32, said: String)
    case commandEmpty
    /// The init command failed: there is no store to test.
    case notInitialised(ending: String, said: String)
    /// The user of a manifest does not exist, or only root could run commands as it.
    case userUnknown(String)
    case userNotAllowed(String)
    /// Another process listens where the server of a target should.
    case foreignServer(at: ByteString, process: Int32?)
    /// An argument, path or environment entry that cannot be passed to a process.
    case notPassable(what: String, ByteString)
    /// A directory that the line-based recover protocol cannot name.
    case newlineInDirectory(ByteString)
    case oracleOnStorageUnderTest(oracle: ByteString, storage: ByteString)
    /// Not a regular file, where one is needed.
    case notRegularFile(ByteString)
    case oracleTooShort(path: ByteString, wroteBytes: Int, lineBytes: Int)
    /// A variable of the workload protocol is not set, or is not a number.
    case variableMissing(ByteString)
    case variableNotANumber(ByteString, ByteString)
    /// Processes that SIGKILL did not end in time: blocked in the kernel, as on a mount without a server.
    case notKilled(processes: [Int32])
    /// /proc belongs to another pid namespace.
    case foreignProc
    /// Atomic batches were requested, but the store has none.
    case noBatches
    /// - Parameter directory: the directory of a relative `program`.
    case cannotRun(program: ByteString, directory: ByteString?, errno: Int32)
    /// A state with a link out of it was not recovered.
    case leavingLink(EscapingLink, LinkRejection)
    /// The sandbox could not be created.
    case notConfined(program: ByteString, call: String, errno: Int32)
    case system(call: String, path: ByteString?, errno: Int32)
}

extension TargetError {
    /// The failure of `call`, with the current errno of this thread.
    static func system(_ call: String, _ path: ByteString? = nil) -> TargetError {
        .system(call: call, path: path, errno: errno)
    }

    /// Adds the name of the failed call to an `Errno`.
    static func naming<Result>(
        _ call: String, _ path: ByteString? = nil, _ body: () throws(Errno) -> Result
    ) throws(TargetError) -> Result {
        do throws(Errno) { return try body() } catch {
            throw .system(call: call, path: path, errno: error.code)
        }
    }
}

extension TargetError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unknownTarget(let name, let known):
            "unknown target \(name); known targets: \(known.joined(separator: ", ")); "
                + "for your own target give the path of its manifest, such as ./\(name).yaml"
        case .manifest(let error): "\(error)"
        case .unknownParameter(let name, let target, let known):
            known.isEmpty
                ? "target \(target) has no parameters, so none named \(name)"
                : "target \(target) has no parameter \(name); its parameters: \(known.joined(separator: ", "))"
        case .valueNotAllowed(let parameter, let value, let allowed):
            "\(parameter) cannot be \(value); allowed: \(allowed.joined(separator: ", "))"
        case .malformedSetting(let text):
            "a setting has the form name=value, not \(text)"
        case .driverMissing(let path):
            "\(path) is missing: it drives the built-in targets and must be beside faultline (swift build makes both)"
        case .commandNotFound(let name):
            "command not found: \(name)"
        case .commandsMissing(let files):
            files.map(\.description).joined(separator: "\n")
        case .recoverNotRun(let command, let code, let said):
            "the recover command exited with \(code), which means that it could not be run\(said); it is: "
                + command.map(\.description).joined(separator: " ")
        case .checkNotRun(let command, let code, let said):
            "the check of the manifest exited with \(code), which means that it could not be run"
                + "\(said.isEmpty ? "" : ": \(said)"); it is: " + command.map(\.description).joined(separator: " ")
        case .notInitialised(let ending, let said):
            "the init command \(ending)\(said.isEmpty ? "" : ": \(said)")"
        case .userUnknown(let name): "there is no user \(name) on this machine (`user` in the manifest)"
        case .userNotAllowed(let name):
            "only root can run the target's commands as user \(name) (`user` in the manifest)"
        case .foreignServer(let place, let process):
            "another process\(process.map { " (\($0))" } ?? "") answers at \(place), not the server that was started: "
                + "the manifest's start command must listen at {port} or {socket}"
        case .commandEmpty:
            "a command needs at least one argument: the program"
        case .notPassable(let what, let bytes):
            "\(what) cannot be passed to a process: \(bytes)"
        case .newlineInDirectory(let path):
            "the recover protocol sends one directory per line, and this path contains a newline: \(path)"
        case .oracleOnStorageUnderTest(let oracle, let storage):
            "the oracle \(oracle) is on the same filesystem as the storage under test \(storage): "
                + "a fault there would damage the evidence. Put it elsewhere, or allow it if only the process is going to fail: "
                + "--allow-same-filesystem, or FAULTLINE_ORACLE_MAY_SHARE=1 in a workload's environment"
        case .notRegularFile(let path): "\(path): not a regular file"
        case .oracleTooShort(let path, let wrote, let line):
            "\(path): only \(wrote) of \(line) bytes of an oracle line could be written; is its filesystem full?"
        case .variableMissing(let name):
            "\(name) is not set; faultline run sets it"
        case .variableNotANumber(let name, let value):
            "\(name) is not a valid number: \(value)"
        case .notKilled(let processes):
            "still alive after SIGKILL, blocked in the kernel: \(processes.count == 1 ? "process" : "processes") "
                + processes.map(String.init).joined(separator: ", ")
                + "; a process that waits for a FUSE mount that it serves itself ends after `umount -f` of that mount"
        case .foreignProc:
            "/proc belongs to another pid namespace, so child processes cannot be supervised: mount a new /proc, as "
                + "`unshare --pid --fork --mount-proc` does"
        case .noBatches: "this store has no atomic batches: leave --batch out"
        case .system(let call, let path, let errno):
            "\(call)\(path.map { " \($0)" } ?? ""): \(Errno(errno))"
        case .leavingLink(let link, let rejection): rejection.message(link)
        case .notConfined(let program, let call, let errno):
            "cannot run \(program) in a sandbox: \(call): \(Errno(errno))"
        case .cannotRun(let program, let directory, let errno):
            "cannot run \(program)\(directory.map { " in \($0)" } ?? ""): \(Errno(errno))"
        }
    }
}
