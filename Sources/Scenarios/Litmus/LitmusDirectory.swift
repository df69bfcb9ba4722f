import Bytes
import CPlatform
import Glibc
import Litmus
import Storage

/// Describes a directory in the syntax of a litmus script, like `LitmusTrace.describe` does a tree.
enum LitmusDirectory {
    static func describe(_ root: String) throws -> String {
        var words: [String] = []
        try describe(root, "", &words)
        return words.isEmpty ? "{}" : words.joined(separator: " ")
    }

    private static func describe(_ directory: String, _ path: String, _ words: inout [String]) throws {
        guard let names = TreeListing.names(in: ByteString(directory)) else {
            throw LitmusError("reading \(path.isEmpty ? "the directory" : path): \(reason)")
        }
        for name in names.sorted().map(\.description) {
            let full = directory + "/" + name
            var status = stat()
            guard lstat(full, &status) == 0 else { throw LitmusError("lstat \(name): \(reason)") }
            let kind = status.st_mode & S_IFMT
            var word = path + name
            switch kind {
            case S_IFDIR: word += "/"
            case S_IFLNK: word += "->" + (try target(of: full, name))
            default: word += "(" + LitmusTrace.runs(of: try bytes(of: full, name)) + ")"
            }
            let mode = status.st_mode & 0o7777
            let usual: mode_t = kind == S_IFDIR ? 0o755 : 0o644
            if kind != S_IFLNK {
                if mode != usual { word += ":" + String(mode, radix: 8) }
                for attribute in attributes(full) { word += "@" + attribute }
            }
            words.append(word)
            if kind == S_IFDIR { try describe(full, path + name + "/", &words) }
        }
    }

    private static var reason: String { String(cString: strerror(errno)) }

    private static func target(of link: String, _ name: String) throws -> String {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = buffer.withUnsafeMutableBytes {
            readlink(link, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
        }
        guard count >= 0 else { throw LitmusError("readlink \(name): \(reason)") }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }

    private static func bytes(of file: String, _ name: String) throws -> [UInt8] {
        let descriptor = open(file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw LitmusError("open \(name): \(reason)") }
        defer { close(descriptor) }
        var (bytes, chunk) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 16))
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            guard count >= 0 else { throw LitmusError("read \(name): \(reason)") }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
    }

    private static func attributes(_ path: String) -> [String] {
        var list = [CChar](repeating: 0, count: 4096)
        let count = listxattr(path, &list, list.count)
        guard count > 0 else { return [] }
        return list[..<count].split(separator: 0)
            .map { String(decoding: $0.map { UInt8(bitPattern: $0) }, as: UTF8.self) }
            .filter { $0.hasPrefix("user.") }.sorted()
            .map { name in
                var value = [UInt8](repeating: 0, count: 256)
                let size = getxattr(path, name, &value, value.count)
                return name + "=" + String(decoding: value[..<max(0, size)], as: UTF8.self)
            }
    }
}
