import Bytes
import Glibc

/// Writes small files in one call.
extension OutputFile {
    /// Replaces the file at `path` atomically: readers see the old content or the new content, never a mixture.
    package static func replace(
        _ path: ByteString, with bytes: [UInt8], permissions: UInt32 = 0o600
    ) throws(OutputError) {
        let file = try OutputFile(path, .replace, permissions: permissions, isDurable: false, followsLinks: false)
        try file.write(bytes)
        try file.commit()
    }

    /// Creates a file with these bytes, atomically. Fails when `path` exists.
    package static func create(
        _ path: ByteString, _ bytes: [UInt8], permissions: UInt32 = 0o600
    ) throws(OutputError) {
        let file = try OutputFile(path, .create, permissions: permissions, isDurable: false, followsLinks: false)
        try file.write(bytes)
        try file.commit()
    }

    /// Appends bytes to a file, all or none. Creates it if it is missing.
    package static func append(_ bytes: [UInt8], to path: ByteString) throws(OutputError) {
        let file = try OutputFile(path, .append, permissions: 0o600, isDurable: false, followsLinks: false)
        try file.write(bytes)
        try file.commit()
    }
}
