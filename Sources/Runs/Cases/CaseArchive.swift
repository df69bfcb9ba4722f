import Bytes
import Foundation
import Glibc
import Machine
import Model
import Storage

/// A case as one file to attach to a bug report: a tar archive of the case's own files and nothing else.
///
/// By default it contains no host name and no local path; it holds at most `limitBytes`. Archives are untrusted input:
/// only files with the exact names of a case's files are unpacked, into a new directory; any other entry is an error
/// that gives its offset, thrown before anything is written. The crash image is left out: it is derived from the trace
/// again.
package enum CaseArchive {
    /// The size limit of an archive, and so of the unpacked files.
    package static let limitBytes = 256 << 20

    package static let folder: ByteString = "faultline-case"
    private static let names: [ByteString] =
        [
            CaseRecord.fileName, CaseRecord.traceName, CaseRecord.oracleName, CaseRecord.shownName,
            CaseRecord.manifestName, CaseRecord.faultsName,
        ] + CaseRecord.observedNames
    /// Files that a case may lack.
    private static let optionalNames =
        [CaseRecord.shownName, CaseRecord.manifestName, CaseRecord.faultsName] + CaseRecord.observedNames

    // MARK: - Export

    /// The archive of the case in `directory`.
    ///
    /// - Parameter namesMachine: allow files that contain the host name, the home directory or the case's path.
    package static func export(_ directory: ByteString, namesMachine: Bool = false) throws -> [UInt8] {
        var record = try CaseRecord(directory: directory)
        guard record.hasTrace else {
            throw ArchiveError.noTrace(directory, scenario: record.scenario)
        }
        try record.checkTrace(in: directory)
        record.story = withoutPaths(record.story)
        record.manifestPath = nil
        var archive: [UInt8] = []
        for name in names {
            let path = directory.appending(component: name)
            let bytes: [UInt8]
            if name == CaseRecord.fileName {
                bytes = try record.encoded()
            } else if optionalNames.contains(name), RunFiles.size(of: path) == 0 {
                continue
            } else {
                guard RunFiles.size(of: path) <= limitBytes else { throw ArchiveError.tooLarge(path) }
                bytes = try RunFiles.read(path, followingLinks: false)
            }
            if !namesMachine, let word = privateWords(directory).first(where: { contains(bytes, $0) }) {
                throw ArchiveError.namesThisMachine(path, word: word)
            }
            let header = TarHeader(name: folder.appending(component: name), sizeBytes: bytes.count)
            guard let block = header.encoded else { throw ArchiveError.tooLarge(path) }
            archive += block + bytes + [UInt8](repeating: 0, count: TarHeader.padding(after: bytes.count))
            guard archive.count < limitBytes else { throw ArchiveError.tooLarge(path) }
        }
        return archive + [UInt8](repeating: 0, count: 2 * TarHeader.blockBytes)
    }

    /// Strings that must not leave this machine: the host name, the home directory, the path of the case.
    private static func privateWords(_ directory: ByteString) -> [ByteString] {
        var name = utsname()
        var words: [ByteString] = []
        if uname(&name) == 0 {
            let host = withUnsafeBytes(of: &name.nodename) { ByteString($0.prefix { $0 != 0 }) }
            if host.count > 3, host != "localhost" { words.append(host) }
        }
        if let home = getenv("HOME").map({ ByteString(String(cString: $0)) }), home.count > 5 { words.append(home) }
        if let path = directory.withCString({ realpath($0, nil) }) {
            words.append(ByteString(UnsafeRawBufferPointer(start: path, count: strlen(path))))
            free(path)
        }
        return words
    }

    private static func contains(_ bytes: [UInt8], _ word: ByteString) -> Bool {
        !word.isEmpty && Data(bytes).range(of: Data(word.bytes)) != nil
    }

    /// The text with each absolute path shortened to its last component.
    static func withoutPaths(_ text: String) -> String {
        text.replacing(#/(?<before>^|[\s"'(=:])(?:/[^\s"'():;,]+)*/(?<last>[^\s"'():;,/]+)/#) {
            "\($0.output.before)\($0.output.last)"
        }
    }

    // MARK: - Import

    package typealias Files = [(name: ByteString, content: ArraySlice<UInt8>)]

    /// Writes the case in the archive at `file` to `directory`, which must not exist yet.
    package static func unpack(_ file: ByteString, into directory: ByteString) throws {
        let files = try read(file)
        try OutputDirectory.make(directory) { try write(files, to: $0) }
    }

    /// Reads and checks the files of the archive at `file`.
    package static func read(_ file: ByteString) throws -> Files {
        guard RunFiles.size(of: file) <= limitBytes else { throw ArchiveError.tooLarge(file) }
        return try files(in: try RunFiles.read(file), file)
    }

    package static func write(_ files: Files, to directory: ByteString) throws {
        for (name, content) in files { try OutputFile.create(directory.appending(component: name), Array(content)) }
    }

    /// Reads and checks the files of a case from the bytes of an archive.
    package static func files(in archive: [UInt8], _ path: ByteString) throws -> Files {
        var files: Files = []
        var place = 0
        while true {
            guard place + TarHeader.blockBytes <= archive.count else {
                throw ArchiveError.damaged(path, offset: place, "it ends without its end")
            }
            let block = archive[place..<place + TarHeader.blockBytes]
            if block.allSatisfy({ $0 == 0 }) {
                // End of the archive: only zeros may follow.
                if let more = archive[place...].firstIndex(where: { $0 != 0 }) {
                    throw ArchiveError.damaged(path, offset: more, "there is more after the end of the archive")
                }
                break
            }
            let header: TarHeader
            do throws(TarHeader.FormatError) { header = try TarHeader(block) } catch {
                throw ArchiveError.damaged(path, offset: place, error.reason)
            }
            guard let name = names.first(where: { folder.appending(component: $0) == header.name }),
                !files.contains(where: { $0.name == name })
            else {
                throw ArchiveError.damaged(
                    path, offset: place, "'\(header.name)' is no file of a case, or is there twice")
            }
            place += TarHeader.blockBytes
            guard header.sizeBytes <= archive.count - place else {
                throw ArchiveError.damaged(path, offset: place, "'\(header.name)' is cut off")
            }
            files.append((name, archive[place..<place + header.sizeBytes]))
            place += header.sizeBytes + TarHeader.padding(after: header.sizeBytes)
        }
        for needed in names.prefix(3) where !files.contains(where: { $0.name == needed }) {
            throw ArchiveError.damaged(path, offset: place, "there is no \(needed) in it")
        }
        return files
    }
}

/// Why a case cannot be made into an archive, or an archive into a case.
package enum ArchiveError: Error, Hashable, Sendable {
    case tooLarge(ByteString)
    /// The case has no trace: it holds only files of the store.
    case noTrace(ByteString, scenario: ScenarioName)
    case namesThisMachine(ByteString, word: ByteString)
    case damaged(ByteString, offset: Int, String)
    /// The archive is intact, but its case is damaged.
    case unusable(ByteString, reason: String)
}

extension ArchiveError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .tooLarge(let path): "\(path): a case's archive has at most \(CaseArchive.limitBytes >> 20) MiB"
        case .noTrace(let directory, let scenario):
            "\(directory): a case of \(scenario) has no trace to derive its files from, and cannot be exported"
        case .namesThisMachine(let path, let word):
            "\(path) holds '\(word)', which names this machine or a place on it; --anyway exports it all the same"
        case .unusable(let path, let reason): "\(path) holds a damaged case: \(reason)"
        case .damaged(let path, let offset, let reason): "\(path): no case's archive: at byte \(offset): \(reason)"
        }
    }
}
