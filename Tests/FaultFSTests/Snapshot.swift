import Bytes
import CPlatform
import Glibc

/// A directory tree as text, one line per name, for comparison.
enum Snapshot {
    /// Mode, owner, size, extended attributes and content digest of everything below `root`, and which names are hard
    /// links.
    static func of(_ root: String) -> [String] {
        var lines: [String] = []
        var firsts: [ino_t: String] = [:]
        var waiting = [""]
        while let directory = waiting.popLast() {
            var here = Glibc.stat()
            lstat(root + "/" + directory, &here)
            lines.append("\(directory)/ \(words(here)) \(attributes(root + "/" + directory))")
            for name in names(root + "/" + directory) {
                let path = directory.isEmpty ? name : directory + "/" + name
                if path == ".faultline" { continue }
                let whole = root + "/" + path
                var status = Glibc.stat()
                lstat(whole, &status)
                if status.st_mode & S_IFMT == S_IFDIR {
                    waiting.append(path)
                    continue
                }
                let first = firsts[status.st_ino] ?? path
                firsts[status.st_ino] = first
                var line = "\(path) \(words(status)) is \(first)"
                if status.st_mode & S_IFMT == S_IFREG { line += " \(attributes(whole)) \(content(whole))" }
                if status.st_mode & S_IFMT == S_IFLNK {
                    var buffer = [CChar](repeating: 0, count: 256)
                    line += " to \(buffer[..<max(0, readlink(whole, &buffer, 255))])"
                }
                lines.append(line)
            }
        }
        return lines.sorted()
    }

    /// Without the link count of directories, which counts the state directory too.
    private static func words(_ status: Glibc.stat) -> String {
        let isDirectory = status.st_mode & S_IFMT == S_IFDIR
        return "\(String(status.st_mode, radix: 8)) \(status.st_uid):\(status.st_gid)"
            + (isDirectory ? "" : " \(status.st_nlink) \(status.st_size)")
    }

    private static func attributes(_ path: String) -> String {
        var list = [CChar](repeating: 0, count: 4096)
        let count = listxattr(path, &list, list.count)
        guard count > 0 else { return "" }
        return list[..<count].split(separator: 0).map { bytes in
            var value = [UInt8](repeating: 0, count: 4096)
            let name = Array(bytes) + [0]
            let length = getxattr(path, name, &value, value.count)
            return "\(name)=\(value[..<max(0, length)])"
        }.sorted().joined(separator: " ")
    }

    private static func content(_ path: String) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "unreadable: errno \(errno)" }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(file, &buffer, buffer.count)
            if count <= 0 { break }
            bytes += buffer[..<count]
        }
        return StepRunner.digest(bytes)
    }

    private static func names(_ path: String) -> [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
