import Bytes
import Glibc

/// Files whose bytes are all at hand.
extension OutputFile {
    /// Puts a file with these bytes at `path`: whoever looks finds the old one or the new one, whole.
    package static func replace(
        _ path: ByteString, with bytes: [UInt8], permissions: UInt32 = 0o600
    ) throws(OutputError) {
        let file = try OutputFile(path, .replace, permissions: permissions, isDurable: false, followsLinks: false)
        try file.write(bytes)
        try file.commit()
    }

    /// Makes a new file of these bytes, for its owner alone; an existing one is an error. When it cannot be written whole
    /// it is not there.
    package static func create(
        _ path: ByteString, _ bytes: [UInt8], permissions: UInt32 = 0o600
    ) throws(OutputError) {
        let file = try OutputFile(path, .create, permissions: permissions, isDurable: false, followsLinks: false)
        try file.write(bytes)
        try file.commit()
    }

    /// Adds bytes to a file, which is made if it is not there: all of them, or none.
    package static func append(_ bytes: [UInt8], to path: ByteString) throws(OutputError) {
        let file = try OutputFile(path, .append, permissions: 0o600, isDurable: false, followsLinks: false)
        try file.write(bytes)
        try file.commit()
    }
}
