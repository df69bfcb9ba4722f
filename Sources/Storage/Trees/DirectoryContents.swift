import Bytes
import CPlatform
import Glibc

/// A directory as one byte string: names, modes and contents, sorted by name.
///
/// Equal strings mean equal directories, except for timestamps. Used to compare the results of two recoveries.
package enum DirectoryContents {
    /// Larger directories are not compared.
    private static let largestBytes = 8 << 20

    /// nil unless the directory holds only regular files with one name, without extended attributes, of bounded size.
    package static func read(_ path: ByteString) -> [UInt8]? {
        guard let directory = try? DirectoryHandle(opening: path) else { return nil }
        guard let names = try? directory.names() else { return nil }
        var result: [UInt8] = []
        func note(_ number: UInt64) { withUnsafeBytes(of: number.littleEndian) { result += $0 } }
        for name in names.sorted() {
            let flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
            let file = name.withCString { openat(directory.descriptor, $0, flags) }
            guard file >= 0 else { return nil }
            defer { close(file) }
            var status = stat()
            guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
            // Extended attributes may have a meaning for the store.
            guard status.st_nlink == 1, flistxattr(file, nil, 0) <= 0 else { return nil }
            guard result.count + Int(status.st_size) <= largestBytes else { return nil }
            note(UInt64(name.count))
            result += name.bytes
            note(UInt64(status.st_mode))
            note(UInt64(status.st_size))
            guard append(file, Int(status.st_size), to: &result) else { return nil }
        }
        return result
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
