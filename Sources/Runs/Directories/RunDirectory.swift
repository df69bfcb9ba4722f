import Bytes
import Glibc
import Machine
import Platform
import Storage

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
    private let record: OwnedRecord
    private let scratch = Guarded<[ScratchDirectory]>([])
    private let caseCount = Guarded(0)

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
        let description = RunRecord(process: try .own(), owner: geteuid())
        let name = "faultline-\(Self.plain(target))-\(Self.plain(scenario))-\(seed)-"
        let parents = try Self.makeParent(parent)
        do throws(RunDirectoryError) {
            let root = try Self.resolved(parent)
            (path, record) = try Self.makeOwned(root.appending(component: ByteString(name)), description)
        } catch {
            parents.removeEmpty()
            throw error
        }
        do throws(RunDirectoryError) {
            try Self.make(path.appending(component: "cases"), mode: 0o777)
        } catch {
            // Without a record nobody would know what it is.
            try? TreeRemoval.remove(path)
            parents.removeEmpty()
            throw error
        }
    }

    package var configurationPath: ByteString { path.appending(component: "configuration.json") }
    package var oraclePath: ByteString { path.appending(component: "oracle.jsonl") }
    package var tracePath: ByteString { path.appending(component: "trace") }
    package var reproducePath: ByteString { path.appending(component: "reproduce.sh") }

    /// Makes the directory of the next case (cases/1, cases/2, …) of what `fill` puts into the directory that it is given;
    /// what it throws leaves no case. Answers where the case is.
    ///
    /// - Parameter fill: is told where it puts the files, and where they will be.
    package func makeCase(_ fill: (_ directory: ByteString, _ place: ByteString) throws -> Void) throws -> ByteString {
        let number = caseCount.withLock { count in
            count += 1
            return count
        }
        let place = path.appending(component: "cases").appending(component: ByteString("\(number)"))
        try OutputDirectory.make(place, permissions: 0o777) { try fill($0, place) }
        return place
    }

    // MARK: - What is outside

    /// To be called before something is mounted at the absolute path `mountPoint`.
    package func willMount(_ mountPoint: ByteString) throws(RunDirectoryError) {
        try record.change { $0.mounts.append(mountPoint) }
    }

    /// To be called when `mountPoint` is unmounted.
    package func didUnmount(_ mountPoint: ByteString) throws(RunDirectoryError) {
        try record.change { record in record.mounts.removeAll { $0 == mountPoint } }
    }

    /// Makes a directory outside of this one, in memory where possible, for what lives no longer than the run. Closed
    /// to others; it holds a record of its own beside what the caller puts there.
    package func makeScratch() throws(RunDirectoryError) -> ByteString {
        var announced: [ByteString] = []
        let made = try ScratchDirectory { path throws(RunDirectoryError) in
            announced.append(path)
            try record.change { $0.scratch.append(path) }
        }
        scratch.withLock { $0.append(made) }
        // Names that were taken go from the record.
        let taken = announced.dropLast()
        if !taken.isEmpty { try record.change { $0.scratch.removeAll(where: taken.contains) } }
        return made.path
    }

    /// Removes a directory that `makeScratch` made, with all that is in it, whatever the target mounted there.
    package func removeScratch(_ path: ByteString) throws {
        guard let directory = scratch.withLock({ $0.first { $0.path == path } }) else { return }
        try directory.remove()
        scratch.withLock { scratch in scratch.removeAll { $0.path == path } }
        try record.change { record in record.scratch.removeAll { $0 == path } }
    }

    /// The run has ended: removes its scratch directories, and says in run.json that nobody runs any more.
    ///
    /// - Throws: the first reason why something of it is still there. The run then counts as one that was killed, and a
    ///   cleanup tries again.
    package func finish() throws {
        var failure: (any Error)?
        for directory in scratch.withLock({ $0 }) {
            do { try removeScratch(directory.path) } catch { failure = failure ?? error }
        }
        if let failure {
            record.release()
            throw failure
        }
        try record.change { record in
            record.phase = .finished
            record.process = nil
        }
        record.release()
    }

    // MARK: - How to do it again

    /// Writes `reproduce.sh`, which runs `faultline` with these arguments. Relative paths among them are seen from
    /// the directory in which the script is called.
    package func writeReproduceScript(_ arguments: [ByteString]) throws(RunDirectoryError) {
        let text = try ReproduceScript.text(arguments)
        do throws(OutputError) { try OutputFile.replace(reproducePath, with: text, permissions: 0o755) } catch {
            throw .output(error)
        }
    }

    // MARK: - Steps

    /// Makes the directory in which runs are kept, if it is missing.
    package static func makeParent(_ parent: ByteString) throws(RunDirectoryError) -> NewDirectories {
        guard !parent.bytes.contains(0) else { throw .unusablePath(parent) }
        do throws(OutputError) { return try NewDirectories(making: parent, permissions: 0o777) } catch {
            throw .output(error)
        }
    }

    private static func resolved(_ parent: ByteString) throws(RunDirectoryError) -> ByteString {
        guard let resolved = parent.withCString({ realpath($0, nil) }) else { throw .system("realpath", parent) }
        defer { free(resolved) }
        return ByteString(UnsafeRawBufferPointer(start: resolved, count: strlen(resolved)))
    }

    /// A new directory with its record. A cleanup may take one away that has no record yet: then another is made.
    private static func makeOwned(
        _ prefix: ByteString, _ description: RunRecord
    ) throws(RunDirectoryError) -> (ByteString, OwnedRecord) {
        for _ in 0..<16 {
            let path = try makeNumbered(prefix, mode: 0o777)
            do throws(RunDirectoryError) {
                return (path, try OwnedRecord(description, in: path))
            } catch {
                if case .system(_, _, ENOENT) = error { continue }
                // Without a record nobody would know what it is.
                try? TreeRemoval.remove(path)
                throw error
            }
        }
        throw .system(call: "mkdir", path: prefix, errno: ENOENT)
    }

    /// The first of prefix1, prefix2, … that was not there.
    private static func makeNumbered(_ prefix: ByteString, mode: mode_t) throws(RunDirectoryError) -> ByteString {
        var number = 1
        while true {
            let candidate = ByteString(prefix.bytes + Array(String(number).utf8))
            do throws(RunDirectoryError) {
                try make(candidate, mode: mode)
                return candidate
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
