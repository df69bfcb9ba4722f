import CPlatform
import Foundation
import Glibc
import Litmus

/// A directory as a line of a litmus script.
func describe(directory root: String) throws -> String {
    var words: [String] = []
    try describe(root, "", &words)
    return words.isEmpty ? "{}" : words.joined(separator: " ")
}

private func describe(_ directory: String, _ path: String, _ words: inout [String]) throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: directory)
        .sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
    for name in names where !(path.isEmpty && (name == "lost+found" || name == ".other")) {
        let full = directory + "/" + name
        var status = stat()
        guard lstat(full, &status) == 0 else { throw LitmusError("lstat \(name): \(errno)") }
        var word = path + name
        switch status.st_mode & S_IFMT {
        case S_IFDIR: word += "/"
        case S_IFLNK: word += "->" + (try FileManager.default.destinationOfSymbolicLink(atPath: full))
        default:
            let bytes = [UInt8](try Data(contentsOf: URL(filePath: full)))
            word += "(" + LitmusTrace.runs(of: bytes) + ")"
        }
        let mode = status.st_mode & 0o7777
        let usual: mode_t = status.st_mode & S_IFMT == S_IFDIR ? 0o755 : 0o644
        if status.st_mode & S_IFMT != S_IFLNK {
            if mode != usual { word += ":" + String(mode, radix: 8) }
            for attribute in attributes(full) { word += "@" + attribute }
        }
        words.append(word)
        if status.st_mode & S_IFMT == S_IFDIR { try describe(full, path + name + "/", &words) }
    }
}

private func attributes(_ path: String) -> [String] {
    var list = [CChar](repeating: 0, count: 4096)
    let count = listxattr(path, &list, list.count)
    guard count > 0 else { return [] }
    return list[..<count].split(separator: 0).map { String(decoding: $0.map { UInt8(bitPattern: $0) }, as: UTF8.self) }
        .filter { $0.hasPrefix("user.") }.sorted().map { name in
            var value = [UInt8](repeating: 0, count: 256)
            let size = getxattr(path, name, &value, value.count)
            return name + "=" + String(decoding: value[..<max(0, size)], as: UTF8.self)
        }
}
