import Bytes
import Glibc
import Machine
import Platform
import Storage

/// The directory of one run: its configuration, recording, findings and a command to reproduce it.
///
///     run.json            who runs, and what to take away if that process dies
///     configuration.json  what was asked
///     oracle.jsonl        what the target had promised
///     trace               what it did to its storage
///     cases/1, 2, …       the failing crashes
///     reproduce.sh        the command that does it again
///
/// Mounts and scratch directories outside of it are written to run.json before they are made, so that a cleanup can
/// find them. Thread safe.
package final class RunDirectory: Sendable {
    /// Absolute.
    package let path: ByteString
    private let record: OwnedRecord
    private let scratch = Guarded<[ScratchDirectory]>([])
    private let caseCount = Guarded(0)

    /// The parent of run directories: `--out`, else FAULTLINE_RUNS, else `faultline-runs` in the current directory.
    package static func parent(option: ByteString?) -> ByteString {
        if let option, !option.isEmpty { return option }
        if let value = getenv("FAULTLINE_RUNS"), value.pointee != 0 {
            return ByteString(UnsafeRawBufferPointer(start: value, count: strlen(value)))
        }
        return "faultline-runs"
    }

    /// Creates a directory in `parent`, and `parent` itself if it is missing:
    /// `faultline-<target>-<scenario>-<seed>-<n>` with the first free n.
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
            // Without a record, `cleanup` could not identify the directory.
            try? TreeRemoval.remove(path)
            parents.removeEmpty()
            throw error
        }
    }

    package var configurationPath: ByteString { path.appending(component: "configuration.json") }
    package var oraclePath: ByteString { path.appending(component: "oracle.jsonl") }
    package var tracePath: ByteString { path.appending(component: "trace") }
    package var reproducePath: ByteString { path.appending(component: "reproduce.sh") }

    /// Creates the directory of the next case (cases/1, cases/2, …) with the files that `fill` writes. If `fill`
    /// throws, no case remains. Returns the path of the case.
    ///
    /// - Parameter fill: receives the temporary directory to write to and the final path of the case.
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

    /// Call before mounting at `mountPoint`, an absolute path.
    package func willMount(_ mountPoint: ByteString) throws(RunDirectoryError) {
        try record.change { $0.mounts.append(mountPoint) }
    }

    /// Call after unmounting `mountPoint`.
    package func didUnmount(_ mountPoint: ByteString) throws(RunDirectoryError) {
        try record.change { record in record.mounts.removeAll { $0 == mountPoint } }
    }

    /// Creates a scratch directory outside of this one, in memory if possible; `finish` removes it. Accessible only to
    /// its owner. It contains a record of its own besides the caller's files.
    package func makeScratch() throws(RunDirectoryError) -> ByteString {
        var announced: [ByteString] = []
        let made = try ScratchDirectory { path throws(RunDirectoryError) in
            announced.append(path)
            try record.change { $0.scratch.append(path) }
        }
        scratch.withLock { $0.append(made) }
        // Remove rejected candidate names from the record.
        let taken = announced.dropLast()
        if !taken.isEmpty { try record.change { $0.scratch.removeAll(where: taken.contains) } }
        return made.path
    }

    /// Removes a directory made by `makeScratch` with its content, including mounts made by the target.
    package func removeScratch(_ path: ByteString) throws {
        guard let directory = scratch.withLock({ $0.first { $0.path == path } }) else { return }
        try directory.remove()
        scratch.withLock { scratch in scratch.removeAll { $0.path == path } }
        try record.change { record in record.scratch.removeAll { $0 == path } }
    }

    /// Removes the scratch directories and marks the run as finished in run.json. Call at the end of the run.
    ///
    /// - Throws: the first removal error. The run then counts as killed, and a cleanup tries again.
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

    /// Writes `reproduce.sh`, which runs `faultline` with these arguments. Relative paths are relative to the directory
    /// in which the script is called.
    package func writeReproduceScript(_ arguments: [ByteString]) throws(RunDirectoryError) {
        let text = try ReproduceScript.text(arguments)
        do throws(OutputError) { try OutputFile.replace(reproducePath, with: text, permissions: 0o755) } catch {
            throw .output(error)
        }
    }

    // MARK: - Steps

    /// Creates the parent of run directories if it is missing.
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

    /// Creates a directory with its record. Retries if a concurrent cleanup removes the directory before it has a
    /// record.
    private static func makeOwned(
        _ prefix: ByteString, _ description: RunRecord
    ) throws(RunDirectoryError) -> (ByteString, OwnedRecord) {
        for _ in 0..<16 {
            let path = try makeNumbered(prefix, mode: 0o777)
            do throws(RunDirectoryError) {
                return (path, try OwnedRecord(description, in: path))
            } catch {
                if case .system(_, _, ENOENT) = error { continue }
                // Without a record, `cleanup` could not identify the directory.
                try? TreeRemoval.remove(path)
                throw error
            }
        }
        throw .system(call: "mkdir", path: prefix, errno: ENOENT)
    }

    /// Creates the first of prefix1, prefix2, … that does not exist.
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

    /// The text as a file name component: from its first 64 bytes, with other characters than letters, digits and `._-`
    /// as `_`; never starts with a dot.
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
