import Bytes
import Exploration
import Glibc
import Model
import Storage

extension CaseArchive {
    /// Writes the archive of the case in `directory` to a new file at `path`, for its owner alone.
    package static func write(_ directory: ByteString, to path: ByteString, namesMachine: Bool = false) throws {
        let bytes = try export(directory, namesMachine: namesMachine)
        let descriptor = path.withCString { open($0, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600) }
        guard descriptor >= 0 else { throw TreeError.system(call: "open", path: path, errno: errno) }
        close(descriptor)
        try RunFiles.append(bytes, to: path)
    }

    package static func size(of path: ByteString) -> Int { RunFiles.size(of: path) }

    /// Whether what is at `path` is a file, and so an archive and no case's directory.
    static func isFile(_ path: ByteString) -> Bool {
        var status = stat()
        return path.withCString { stat($0, &status) } == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// Unpacks, and derives the crash image, to be opened by hand. Nothing that the case says is run.
    package static func unpackWithImage(_ file: ByteString, into directory: ByteString) throws {
        try unpack(file, into: directory)
        let record = try CaseRecord(directory: directory)
        let path = directory.appending(component: CaseRecord.fileName)
        guard let profile = Profile(rawValue: record.profile) else {
            throw CaseError.unknownValue(path, field: "profile", value: record.profile)
        }
        let recording = try record.recording(in: directory)
        let state = try recording.state(
            profile, at: record.crashPoint, .losing(try LostAtoms(parsing: record.lost)))
        let image = directory.appending(component: CaseRecord.imageName)
        try RunFiles.makeDirectory(image)
        try TreeMaterialiser(payloads: recording.payloads).materialise(state.tree, into: image)
        let script = directory.appending(component: "reproduce.sh")
        try RunFiles.append(try ReproduceScript.replayingItsDirectory(target: nil), to: script, mode: 0o700)
    }
}
