import Bytes
import Model

/// A file name in a crash state, compared in three versions: before the run, as running programs saw it ("believed"),
/// and as the crash left it ("found").
package struct FileFacts: Sendable {
    package enum Kind: Hashable, Sendable { case file, directory, link, other }

    /// The bytes of a range in both versions. Shorter if the file ends in the range.
    package struct Window: Hashable, Sendable {
        package var offsetBytes: UInt64
        package var believed: [UInt8]
        package var found: [UInt8]
    }

    package let path: ByteString
    package let kind: Kind
    /// The size in each version, in bytes; nil if the name does not exist there.
    package let beforeBytes: UInt64?
    package let believedBytes: UInt64?
    package let foundBytes: UInt64?
    /// Whether contents, size, kind, mode, owner or attributes differ between "believed" and "found".
    package private(set) var differs: Bool
    /// The byte ranges that differ between "believed" and "found".
    package private(set) var changes: [Range<UInt64>] = []
    /// Whether the comparison stopped early; there may be more changes.
    package private(set) var isPartial = false
    package private(set) var windows: [Window] = []

    private static let changesAtMost = 32
    private static let windowsAtMost = 6
    private static let windowBytes: UInt64 = 128
    private static let blockBytes: UInt64 = 4096
    /// The limit of bytes to read from a file.
    private static let readBytesAtMost: UInt64 = 4 << 20
    /// Changes at a smaller distance than this are merged.
    private static let joinedBytes: UInt64 = 8

    init(path: ByteString, before: Node?, believed: Node?, found: Node?) {
        self.path = path
        kind = (found ?? believed ?? before).map(Self.kind) ?? .other
        beforeBytes = before.map(\.sizeBytes)
        believedBytes = believed.map(\.sizeBytes)
        foundBytes = found.map(\.sizeBytes)
        differs =
            believed.map { [$0.kind] } != found.map { [$0.kind] } || believed?.sizeBytes != found?.sizeBytes
            || believed?.attributes != found?.attributes || believed?.extendedAttributes != found?.extendedAttributes
    }

    private static func kind(_ node: Node) -> Kind {
        switch node.kind {
        case .regular: .file
        case .directory: .directory
        case .symbolicLink: .link
        case .fifo, .socket: .other
        }
    }

    /// Finds the byte ranges that differ, up to the limits.
    mutating func compare(_ old: Node, _ new: Node, _ payloads: any PayloadStore) throws {
        if old.content == new.content, old.sizeBytes == new.sizeBytes { return }
        let end = max(old.sizeBytes, new.sizeBytes)
        var readBytes: UInt64 = 0
        var offset: UInt64 = 0
        while offset < end {
            let block = offset..<min(end, offset + Self.blockBytes)
            offset = block.upperBound
            let isWithin = block.upperBound <= min(old.sizeBytes, new.sizeBytes)
            if isWithin, old.content.slice(block) == new.content.slice(block) { continue }
            readBytes += UInt64(block.count)
            guard readBytes <= Self.readBytesAtMost, changes.count < Self.changesAtMost else {
                isPartial = true
                break
            }
            note(try old.bytes(block, payloads), try new.bytes(block, payloads), at: block.lowerBound)
        }
        differs = differs || !changes.isEmpty
        for change in changes.prefix(Self.windowsAtMost) {
            let start = change.lowerBound & ~15
            let range = start..<min(change.upperBound, start + Self.windowBytes)
            windows.append(
                Window(
                    offsetBytes: start, believed: try old.bytes(range, payloads), found: try new.bytes(range, payloads))
            )
        }
    }

    /// Adds the beginning of a file that only one version has.
    mutating func show(_ node: Node, isFound: Bool, _ payloads: any PayloadStore) throws {
        let bytes = try node.bytes(0..<min(node.sizeBytes, Self.windowBytes / 2), payloads)
        guard !bytes.isEmpty else { return }
        windows.append(Window(offsetBytes: 0, believed: isFound ? [] : bytes, found: isFound ? bytes : []))
    }

    private mutating func note(_ old: [UInt8], _ new: [UInt8], at offset: UInt64) {
        for index in 0..<max(old.count, new.count) {
            let (one, other) = (index < old.count ? old[index] : nil, index < new.count ? new[index] : nil)
            if one == other { continue }
            let place = offset + UInt64(index)
            if let last = changes.last, place < last.upperBound + Self.joinedBytes {
                changes[changes.count - 1] = last.lowerBound..<place + 1
            } else {
                changes.append(place..<place + 1)
            }
        }
    }
}

extension Node {
    /// The bytes of `range`, up to the end of the file.
    fileprivate func bytes(_ range: Range<UInt64>, _ payloads: any PayloadStore) throws -> [UInt8] {
        let range = range.clamped(to: 0..<max(range.lowerBound, sizeBytes))
        var bytes = [UInt8](repeating: 0, count: range.count)
        for extent in content.slice(range) {
            let data = try payloads.bytes(of: extent.data)
            let start = Int(extent.offsetBytes - range.lowerBound)
            bytes.replaceSubrange(start..<start + data.count, with: data)
        }
        return bytes
    }
}
