import Bytes
import Foundation
import Storage

/// The content of `run.json`: the process of the run, and what to remove if it dies. Each item is recorded before it is
/// made; nothing is ever removed because of its name alone.
package struct RunRecord: Hashable, Sendable {
    package static let fileName: ByteString = "run.json"
    /// Version 1 had no lock.
    package static let currentVersion = 2

    package enum Phase: String, Codable, Sendable {
        case running
        case finished
        /// The process died, and `cleanup` removed its leftovers.
        case interrupted
    }

    package var phase = Phase.running
    /// The process of the run; nil once the run has ended.
    package var process: ProcessIdentity?
    package var owner: UInt32
    /// Whether the process holds a lock on this record while it lives (`OwnedRecord`).
    package internal(set) var isLocked = false
    package var mounts: [ByteString] = []
    package var scratch: [ByteString] = []
    /// Backing directories of mounts, in which a killed process leaves `.faultline`.
    package var backings: [ByteString] = []

    package init(process: ProcessIdentity, owner: UInt32) {
        self.process = process
        self.owner = owner
    }

    /// Reads the record in `directory`; nil if there is none that belongs to `owner`.
    package init?(in directory: ByteString, ownedBy owner: UInt32) throws(RunDirectoryError) {
        let path = directory.appending(component: Self.fileName)
        guard let bytes = SmallFile.contents(of: path, ownedBy: owner) else { return nil }
        try self.init(bytes, path: path, owner: owner)
    }

    /// Decodes a record read from `path`.
    package init(_ bytes: [UInt8], path: ByteString, owner: UInt32) throws(RunDirectoryError) {
        do {
            self = try JSONDecoder().decode(RunRecord.self, from: Data(bytes))
        } catch {
            throw .damagedRecord(path: path, reason: JSONText.words(error))
        }
        guard self.owner == owner else { throw .damagedRecord(path: path, reason: "it speaks of another owner") }
    }

    /// Writes the record without a lock, for a process that no longer matters.
    package func write(to directory: ByteString) throws(RunDirectoryError) {
        var record = self
        record.isLocked = false
        try SmallFile.replace(
            directory.appending(component: Self.fileName), with: try record.encoded(for: directory))
    }

    package func encoded(for directory: ByteString) throws(RunDirectoryError) -> [UInt8] {
        let path = directory.appending(component: Self.fileName)
        do { return try JSONText.bytes(of: self, .object) } catch {
            throw .damagedRecord(path: path, reason: "\(error)")
        }
    }
}

extension RunRecord: Codable {
    private enum Key: String, CodingKey { case version, phase, process, owner, isLocked, mounts, scratch, backings }

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        let version = try fields.decode(Int.self, forKey: .version)
        guard (1...Self.currentVersion).contains(version) else {
            throw DecodingError.dataCorruptedError(
                forKey: .version, in: fields,
                debugDescription: "version \(version); this program knows 1 to \(Self.currentVersion)")
        }
        phase = try fields.decode(Phase.self, forKey: .phase)
        process = try fields.decodeIfPresent(ProcessIdentity.self, forKey: .process)
        owner = try fields.decode(UInt32.self, forKey: .owner)
        isLocked = try fields.decodeIfPresent(Bool.self, forKey: .isLocked) ?? false
        mounts = try Self.paths(fields, .mounts)
        scratch = try Self.paths(fields, .scratch)
        backings = fields.contains(.backings) ? try Self.paths(fields, .backings) : []
    }

    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        try fields.encode(Self.currentVersion, forKey: .version)
        try fields.encode(phase, forKey: .phase)
        try fields.encodeIfPresent(process, forKey: .process)
        try fields.encode(owner, forKey: .owner)
        try fields.encode(isLocked, forKey: .isLocked)
        try fields.encode(mounts.map(\.description), forKey: .mounts)
        try fields.encode(scratch.map(\.description), forKey: .scratch)
        if !backings.isEmpty { try fields.encode(backings.map(\.description), forKey: .backings) }
    }

    /// Decodes paths, which the record holds in their printed form.
    private static func paths(_ fields: KeyedDecodingContainer<Key>, _ key: Key) throws -> [ByteString] {
        try fields.decode([String].self, forKey: key).map { text in
            guard let path = ByteString(description: text), path.bytes.first == UInt8(ascii: "/") else {
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: fields, debugDescription: "'\(text)' is no absolute path")
            }
            return path
        }
    }
}
