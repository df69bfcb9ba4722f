import Bytes
import Machine

/// The size and checksum of a file, to detect later changes. Protects against damage and mix-ups, not against forgery.
package struct FileSeal: Codable, Hashable, Sendable {
    private var countBytes = 0
    /// CRC32C of all bytes.
    private var checksum: UInt32 = 0

    /// Reads the regular file at `path`. Rejects symbolic links.
    package init(of path: ByteString) throws {
        try RunFiles.forEachChunk(of: path, followingLinks: false) { chunk in
            countBytes += chunk.count
            checksum = CRC32C.checksum(chunk, extending: checksum)
        }
    }

    /// Throws unless the file at `path` is the one that was sealed.
    package func require(_ path: ByteString) throws {
        let now = try FileSeal(of: path)
        guard now != self else { return }
        let difference =
            now.countBytes == countBytes
            ? "its bytes are not those that were left there"
            : "it has \(now.countBytes.counted("byte")), and had \(countBytes) when the exploration stopped"
        throw RunError.harness("\(path.shown) is damaged, or that of another run: \(difference)")
    }
}
