import Bytes
import Glibc
import Storage
import Synchronization

/// The directory of one run: what was asked, what was recorded, what was found, and how to do it again.
///
///     run.json            who runs, and what to take away if that process dies
///     configuration.json  what was asked
///     oracle.jsonl        what the target had promised
///     trace               what it did to its storage
///     cases/1, 2, …       the failing crashes
///     reproduce.sh        the command that does it again
///
/// Whatever a run leaves outside of it for a while (mounts, scratch directories) is written into run.json before it is
/// made. Safe from several threads.
package final class RunDirectory: Sendable {
    /// Absolute.
    package let path: ByteString
    private let state: Mutex<State>

    private struct State {
        var record: RunRecord
        var scratchCount = 0
        var caseCount = 0
    }

    /// Where runs are kept: what `--out` said, else FAULTLINE_RUNS, else `faultline-runs` where we are.
    package static func parent(option: ByteString?) -> ByteString {
        if let option, !option.isEmpty { return option }
        if let value = getenv("FAULTLINE_RUNS"), value.pointee != 0 {
            return ByteString(UnsafeRawBufferPointer(start: value, count: strlen(value)))
        }
        return "faultline-runs"
    }

    /// Makes a new directory in `parent`, which is made too if it is not there:
    /// `faultline-<target>-<scenario>-<seed>-<n>` with the first n that is free.
    package init(
        in parent: ByteString, target: String, scenario: String, seed: UInt64
    ) throws(RunDirectoryError) {
        let record = RunRecord(process: try .own(), owner: geteuid())
        let root = try Self.makeParent(parent)
        let name = "faultline-\(Self.plain(target))-\(Self.plain(scenario))-\(seed)-"
        path = try Self.makeNumbered(root.appending(component: ByteString(name)), mode: 0o777, from: 1).path
        state = Mutex(State(record: record))
        try record.write(to: path)
        try Self.make(path.appending(component: "cases"), mode: 0o777)
    }

    package var configurationPath: ByteString { path.appending(component: "configuration.json") }
    package var oraclePath: ByteString { path.appending(component: "oracle.jsonl") }
    package var tracePath: ByteString { path.appending(component: "trace") }
    package var reproducePath: ByteString { path.appending(component: "reproduce.sh") }

    /// Makes the directory of the next case: cases/1, cases/2, …
    package func makeCase() throws(RunDirectoryError) -> ByteString {
        let cases = path.appending(component: "cases")
        return try state.withLock { state throws(RunDirectoryError) in
            let made = try Self.makeNumbered(cases.appending(component: ""), mode: 0o777, from: state.caseCount + 1)
            state.caseCount = made.number
            return made.path
        }
    }

    // MARK: - What is outside

    /// To be called before something is mounted at the absolute path `mountPoint`.
    package func willMount(_ mountPoint: ByteString) throws(RunDirectoryError) {
        try change { $0.mounts.append(mountPoint) }
    }

    /// To be called when `mountPoint` is unmounted.
    package func didUnmount(_ mountPoint: ByteString) throws(RunDirectoryError) {
        try change { record in record.mounts.removeAll { $0 == mountPoint } }
    }

    /// Makes a directory outside of this one, in memory where possible, for what lives no longer than the run. Closed
    /// to others; it holds a record of its own beside what the caller puts there.
    package func makeScratch() throws(RunDirectoryError) -> ByteString {
        let prefix = ScratchSpace.prefix(owner: geteuid()).bytes
        return try state.withLock { state throws(RunDirectoryError) in
            while true {
                state.scratchCount += 1
                let name = ByteString(prefix + Array("\(getpid())-\(RunDirectory.scratchNumber.next())".utf8))
                let scratch = ScratchSpace.parent().appending(component: name)
                state.record.scratch.append(scratch)
                try state.record.write(to: path)
                if scratch.withCString({ mkdir($0, 0o700) }) == 0 {
                    try state.record.write(to: scratch)
                    return scratch
                }
                let failure = RunDirectoryError.system("mkdir", scratch)
                state.record.scratch.removeLast()
                try state.record.write(to: path)
                guard case .system(_, _, EEXIST) = failure else { throw failure }
            }
        }
    }

    /// Removes a directory that `makeScratch` made, with all that is in it. Nothing may be mounted there any more.
    package func removeScratch(_ scratch: ByteString) throws {
        guard state.withLock({ $0.record.scratch.contains(scratch) }) else { return }
        try TreeRemoval.remove(scratch)
        try change { record in record.scratch.removeAll { $0 == scratch } }
    }

    /// The run has ended: removes its scratch directories, and says in run.json that nobody runs any more.
    package func finish() throws {
        for scratch in state.withLock({ $0.record.scratch }) { try removeScratch(scratch) }
        try change { record in
            record.phase = .finished
            record.process = nil
        }
    }

    private func change(_ body: (inout RunRecord) -> Void) throws(RunDirectoryError) {
        try state.withLock { state throws(RunDirectoryError) in
            body(&state.record)
            try state.record.write(to: path)
        }
    }

    // MARK: - How to do it again

    /// Writes `reproduce.sh`, which runs `faultline` with these arguments. Relative paths among them are seen from
    /// the directory in which the script is called.
    package func writeReproduceScript(_ arguments: [ByteString]) throws(RunDirectoryError) {
        try SmallFile.replace(reproducePath, with: try ReproduceScript.text(arguments), mode: 0o755)
    }

    // MARK: - Steps

    private static let scratchNumber = Counter()

    private static func makeParent(_ parent: ByteString) throws(RunDirectoryError) -> ByteString {
        guard !parent.bytes.contains(0) else { throw .unusablePath(parent) }
        if parent.withCString({ mkdir($0, 0o777) }) != 0, errno != EEXIST { throw .system("mkdir", parent) }
        guard let resolved = parent.withCString({ realpath($0, nil) }) else { throw .system("realpath", parent) }
        defer { free(resolved) }
        return ByteString(UnsafeRawBufferPointer(start: resolved, count: strlen(resolved)))
    }

    /// The first of prefix1, prefix2, … (beginning with `first`) that was not there.
    private static func makeNumbered(
        _ prefix: ByteString, mode: mode_t, from first: Int
    ) throws(RunDirectoryError) -> (path: ByteString, number: Int) {
        var number = first
        while true {
            let candidate = ByteString(prefix.bytes + Array(String(number).utf8))
            do throws(RunDirectoryError) {
                try make(candidate, mode: mode)
                return (candidate, number)
            } catch {
                guard case .system(_, _, EEXIST) = error else { throw error }
                number += 1
            }
        }
    }

    private static func make(_ path: ByteString, mode: mode_t) throws(RunDirectoryError) {
        guard path.withCString({ mkdir($0, mode) }) == 0 else { throw .system("mkdir", path) }
    }

    /// The text as a part of a file name: at most 64 letters, digits and `._-`, never beginning with a dot.
    private static func plain(_ text: String) -> String {
        let characters = text.utf8.prefix(64).map { byte -> Character in
            let character = Character(Unicode.Scalar(byte))
            return character.isASCII && (character.isLetter || character.isNumber || "._-".contains(character))
                ? character : "_"
        }
        let name = String(characters)
        return name.isEmpty || name.hasPrefix(".") ? "_" + name : name
    }
}
