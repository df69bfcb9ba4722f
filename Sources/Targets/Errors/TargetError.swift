import Bytes
import Glibc
import Model
import Platform

/// Why a target could not be set up or driven. None of these says anything about the store: a store that refuses,
/// hangs or does not open is a result, not an error.
package enum TargetError: Error, Hashable, Sendable {
    case unknownTarget(name: String, known: [String])
    case unknownParameter(name: String, target: String, known: [String])
    case valueNotAllowed(parameter: String, value: String, allowed: [String])
    /// A manifest that does not describe a target.
    case manifest(YAMLError)
    /// A `--set` argument without `=`.
    case malformedSetting(String)
    /// The program that drives the built-in stores is not where it belongs.
    case driverMissing(path: ByteString)
    case commandNotFound(ByteString)
    /// Files that the commands of a manifest need.
    case commandsMissing([MissingFile])
    /// A recover command ended as a shell or env does that finds no such program (127), or must not run it (126).
    case recoverNotRun(command: [ByteString], code: Int32, said: String)
    case commandEmpty
    /// An argument, a path or an environment entry that no process can be given.
    case notPassable(what: String, ByteString)
    /// A directory that the line-based recover protocol cannot name.
    case newlineInDirectory(ByteString)
    case oracleOnStorageUnderTest(oracle: ByteString, storage: ByteString)
    /// A FIFO, a device or a directory where a file has to be.
    case notRegularFile(ByteString)
    case oracleTooShort(path: ByteString, wroteBytes: Int, lineBytes: Int)
    /// A variable of the workload contract that is not there, or does not hold a number where it has to.
    case variableMissing(ByteString)
    case variableNotANumber(ByteString, ByteString)
    /// Processes that SIGKILL did not end in time: stuck in the kernel, as beneath a mount whose server is gone.
    case notKilled(processes: [Int32])
    /// /proc speaks of other processes than those that this one can signal.
    case foreignProc
    /// Asked for atomic batches, of a store that has none.
    case noBatches
    /// - Parameter directory: where a relative `program` was looked for.
    case cannotRun(program: ByteString, directory: ByteString?, errno: Int32)
    /// A state that cannot be recovered without leaving it.
    case leavingLink(EscapingLink, LinkRefusal)
    /// The sandbox that it was to run in could not be made.
    case notConfined(program: ByteString, call: String, errno: Int32)
    case system(call: String, path: ByteString?, errno: Int32)
}

extension TargetError {
    /// The failure of `call` with the calling thread's errno, read before anything can change it.
    static func system(_ call: String, _ path: ByteString? = nil) -> TargetError {
        .system(call: call, path: path, errno: errno)
    }

    /// Makes a failure in `body` one of `call`.
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
                + "a target of your own is named by its manifest's path, ./\(name).yaml"
        case .manifest(let error): "\(error)"
        case .unknownParameter(let name, let target, let known):
            known.isEmpty
                ? "target \(target) has no parameters, so none named \(name)"
                : "target \(target) has no parameter \(name); its parameters: \(known.joined(separator: ", "))"
        case .valueNotAllowed(let parameter, let value, let allowed):
            "\(parameter) cannot be \(value); allowed: \(allowed.joined(separator: ", "))"
        case .malformedSetting(let text):
            "a setting is name=value, not \(text)"
        case .driverMissing(let path):
            "\(path) is missing: it drives the built-in targets and belongs beside faultline (swift build makes both)"
        case .commandNotFound(let name):
            "command not found: \(name)"
        case .commandsMissing(let files):
            files.map(\.description).joined(separator: "\n")
        case .recoverNotRun(let command, let code, let said):
            "the recover command exited with \(code), as what cannot be run does\(said); it is: "
                + command.map(\.description).joined(separator: " ")
        case .commandEmpty:
            "a command needs at least one argument: the program"
        case .notPassable(let what, let bytes):
            "\(what) cannot be passed to a process: \(bytes)"
        case .newlineInDirectory(let path):
            "the recover protocol is one directory a line, and this path holds a newline: \(path)"
        case .oracleOnStorageUnderTest(let oracle, let storage):
            "the oracle \(oracle) is on the same filesystem as the storage under test \(storage): "
                + "a fault there would damage the evidence; put it elsewhere or, if nothing but the process is going to "
                + "fail, say so: --allow-same-filesystem, in a workload's environment FAULTLINE_ORACLE_MAY_SHARE=1"
        case .notRegularFile(let path): "\(path): not a regular file"
        case .oracleTooShort(let path, let wrote, let line):
            "\(path) took \(wrote) of \(line) bytes of an oracle line; is its filesystem full?"
        case .variableMissing(let name):
            "\(name) is not set; faultline run sets it"
        case .variableNotANumber(let name, let value):
            "\(name) is not a number that makes sense: \(value)"
        case .notKilled(let processes):
            "still alive after SIGKILL, stuck in the kernel: \(processes.count == 1 ? "process" : "processes") "
                + processes.map(String.init).joined(separator: ", ")
                + "; one that serves a FUSE mount of its own and waits for it is let go by `umount -f` of that mount"
        case .foreignProc:
            "/proc belongs to another namespace of process ids, so that processes cannot be watched here: "
                + "mount it anew, as `unshare --pid --fork --mount-proc` does"
        case .noBatches: "this store has no atomic batches: leave --batch out"
        case .system(let call, let path, let errno):
            "\(call)\(path.map { " \($0)" } ?? ""): \(Errno(errno))"
        case .leavingLink(let link, let refusal): refusal.words(link)
        case .notConfined(let program, let call, let errno):
            "cannot run \(program) in a sandbox: \(call): \(Errno(errno))"
        case .cannotRun(let program, let directory, let errno):
            "cannot run \(program)\(directory.map { " in \($0)" } ?? ""): \(Errno(errno))"
        }
    }
}
