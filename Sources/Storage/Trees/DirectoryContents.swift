import Bytes
import CPlatform
import Glibc

/// A directory as one byte string: names, modes and contents, sorted by name.
///
/// Equal strings mean equal directories, except for timestamps and owners. Used to recognise files that were recovered before.
package enum DirectoryContents {
    /// Larger directories are not compared.
    private static let largestBytes = 8 << 20
    private static let deepest = 16

    /// nil unless the directory holds only directories and regular files with one name, without extended attributes, of
    /// bounded size.
    package static func read(_ path: ByteString) -> [UInt8]? {
        guard let directory = try? DirectoryHandle(opening: path) else { return nil }
        var result: [UInt8] = []
        return append(directory, depth: 0, to: &result) ? result : nil
    }

    private static func append(_ directory: borrowing DirectoryHandle, depth: Int, to result: inout [UInt8]) -> Bool {
        guard depth < deepest, let names = try? directory.names() else { return false }
        note(names.count, in: &result)
        for name in names.sorted() {
            let flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
            let file = name.withCString { openat(directory.descriptor, $0, flags) }
            guard file >= 0 else { return false }
            defer { close(file) }
            var status = stat()
            // Extended attributes may have a meaning for the store.
            guard fstat(file, &status) == 0, flistxattr(file, nil, 0) <= 0 else { return false }
            note(name.count, in: &result)
            result += name.bytes
            note(Int(status.st_mode), in: &result)
            switch status.st_mode & S_IFMT {
            case S_IFREG:
                guard status.st_nlink == 1, result.count + Int(status.st_size) <= largestBytes else { return false }
                note(Int(status.st_size), in: &result)
                guard append(file, Int(status.st_size), to: &result) else { return false }
            case S_IFDIR:
                guard let inner = try? DirectoryHandle(name, in: directory),
                    append(inner, depth: depth + 1, to: &result)
                else { return false }
            default: return false
            }
        }
        return true
    }

    private static func note(_ number: Int, in result: inout [UInt8]) {
        withUnsafeBytes(of: UInt64(number).littleEndian) { result += $0 }
    }

    private static func append(_ file: Int32, _ count: Int, to result: inout [UInt8]) -> Bool {
        let start = result.count
        result.append(contentsOf: repeatElement(0, count: count))
        return result.withUnsafeMutableBytes { buffer in
            var done = 0
            while done < count {
                let got = pread(file, buffer.baseAddress! + start + done, count - done, off_t(done))
                if got < 0, errno == EINTR { continue }
                guard got > 0 else { return false }
                done += got
            }
            return true
        }
    }
}
