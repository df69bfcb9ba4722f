import Bytes
import Exploration
import Glibc
import Machine
import Model
import Storage

extension CaseArchive {
    /// Writes the archive of the case in `directory` to a new file at `path`, with mode 0600.
    package static func write(_ directory: ByteString, to path: ByteString, namesMachine: Bool = false) throws {
        let file = try OutputFile(path, .create, permissions: 0o600)
        try file.write(try export(directory, namesMachine: namesMachine))
        try file.commit()
    }

    package static func size(of path: ByteString) -> Int { RunFiles.size(of: path) }

    /// Whether `path` is a regular file: an archive, not a case directory.
    package static func isFile(_ path: ByteString) -> Bool {
        var status = stat()
        return path.withCString { stat($0, &status) } == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// Unpacks the archive and derives the crash image for inspection. Runs no command of the case. Returns
    /// descriptions of the links that the image omits because they lead out of it.
    @discardableResult
    package static func unpackWithImage(_ file: ByteString, into directory: ByteString) throws -> [String] {
        let files = try read(file)
        try OutputDirectory.make(directory) { directory in
            try write(files, to: directory)
            do { try makeImage(in: directory) } catch  where isOfThisMachine(error) {
                throw error
            } catch {
                throw ArchiveError.unusable(file, reason: "\(error)")
            }
        }
        return CaseImage.linksLeftOut(of: directory)
    }

    /// Whether the error comes from this machine (a full disk, for example), not from the archive.
    private static func isOfThisMachine(_ error: any Error) -> Bool {
        let errno: Int32
        switch error {
        case is OutputError, is SpillError: return true
        case TreeError.system(_, _, let code), TraceFileError.system(_, _, let code): errno = code
        default: return false
        }
        return [ENOSPC, EDQUOT, EROFS, EIO, EMFILE, ENFILE, ENOMEM, EACCES, EPERM].contains(errno)
    }

    /// Derives the crash image and writes the script that replays the case.
    private static func makeImage(in directory: ByteString) throws {
        let record = try CaseRecord(directory: directory)
        let recording = try record.recording(in: directory, MemoryGuard(.standard(spillingNear: directory)))
        let state = try recording.state(
            record.profile, at: record.crashPoint, .losing(try LostAtoms(parsing: record.lost)))
        try CaseImage.write(state.tree, payloads: recording.payloads, to: directory)
        let script = directory.appending(component: "reproduce.sh")
        try OutputFile.create(script, try ReproduceScript.replayingItsDirectory(target: nil), permissions: 0o700)
    }
}

extension CaseArchive {
    /// Calls `body` with the directory of the case at `path`: `path` itself, or a temporary directory with the unpacked
    /// archive.
    ///
    /// - Parameter purpose: part of the temporary directory's name.
    package static func withDirectory<Answer>(
        of path: ByteString, for purpose: String, _ body: (ByteString) throws -> Answer
    ) throws -> Answer {
        guard isFile(path) else { return try body(path) }
        let run = try RunDirectory(in: RunDirectory.parent(option: nil), target: "case", scenario: purpose, seed: 0)
        let answer = Result {
            let directory = try run.makeScratch().appending(component: "case")
            try unpack(path, into: directory)
            return try body(directory)
        }
        try run.finish()
        try TreeRemoval.remove(run.path)
        return try answer.get()
    }
}
