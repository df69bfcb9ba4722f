import Bytes
import Foundation
import Storage

/// What `run.json` says: who runs, and what of it must be taken away again should that process die. It is written
/// before each of these things is made; nothing is ever removed on the word of a name alone.
package struct RunRecord: Hashable, Sendable {
    package static let fileName: ByteString = "run.json"
    /// Version 1 had no lock.
    package static let currentVersion = 2

    package enum Phase: String, Codable, Sendable {
        case running
        case finished
        /// The process died, and what it left was taken away by `cleanup`.
        case interrupted
    }

    package var phase = Phase.running
    /// Who runs; nobody any more once the run has ended.
    package var process: ProcessIdentity?
    package var owner: UInt32
    /// Who runs holds a lock on this record for as long as it lives (`OwnedRecord`).
    package internal(set) var isLocked = false
    package var mounts: [ByteString] = []
    package var scratch: [ByteString] = []
    /// Directories that are mounted elsewhere, in which a killed process leaves `.faultline`.
    package var backings: [ByteString] = []

    package init(process: ProcessIdentity, owner: UInt32) {
        self.process = process
        self.owner = owner
    }

    /// The record in `directory`, if it is there as a file of `owner`.
    package init?(in directory: ByteString, ownedBy owner: UInt32) throws(RunDirectoryError) {
        let path = directory.appending(component: Self.fileName)
        guard let bytes = SmallFile.contents(of: path, ownedBy: owner) else { return nil }
        try self.init(bytes, path: path, owner: owner)
    }

    /// The record that these bytes are, which were read from `path`.
    package init(_ bytes: [UInt8], path: ByteString, owner: UInt32) throws(RunDirectoryError) {
        do {
            self = try JSONDecoder().decode(RunRecord.self, from: Data(bytes))
        } catch {
            throw .damagedRecord(path: path, reason: JSONText.words(error))
        }
        guard self.owner == owner else { throw .damagedRecord(path: path, reason: "it speaks of another owner") }
    }

    /// Writes it without a lock: for a record whose process does not matter any more.
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

    /// Paths are bytes: they stand in the record as they print.
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
