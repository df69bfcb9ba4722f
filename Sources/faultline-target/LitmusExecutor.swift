import CPlatform
import Glibc
import Litmus

/// Executes a litmus script in a directory, with system calls. Files stay open, so that a name keeps meaning its file
/// after an unlink, as in the script's trace.
final class LitmusExecutor {
    private let root: String
    /// A file outside the script: its syncs commit the journal.
    private let other: Int32
    private var descriptors: [String: Int32] = [:]
    /// All descriptors, including those of unlinked files.
    private var opened: [Int32] = []
    private var isFolder: Set<String> = []

    init(_ root: String, beside other: Int32) throws {
        (self.root, self.other) = (root, other)
        try enter(".", open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
    }

    deinit { for descriptor in opened { close(descriptor) } }

    func execute(_ step: LitmusScript.Step) throws {
        switch step.words[0] {
        // One thread cannot keep a call in flight; one that has returned is one of the legal cases.
        case "begin": try execute(Array(step.words.dropFirst(2)))
        case "end": break
        default: try execute(step.words)
        }
    }

    /// Makes the filesystem commit its metadata.
    func commit() {
        guard faultline_btrfs_commit(other) != 0 else { return }
        _ = pwrite(other, "b", 1, 0)
        _ = fsync(other)
    }

    /// Makes the kernel write back a page of every file.
    func writeBack(_ aftermath: LitmusAftermath?) {
        guard aftermath != .commitFirst else { return }
        for (path, descriptor) in descriptors.sorted(by: { $0.key < $1.key })
        where !isFolder.contains(path) && path != "." {
            var status = stat()
            guard fstat(descriptor, &status) == 0, status.st_size > 0 else { continue }
            let page = aftermath == .firstPageFirst ? 0 : (status.st_size - 1) / 4096 * 4096
            _ = faultline_write_back(descriptor, Int64(page), 4096)
        }
    }

    private func execute(_ words: [String]) throws {
        let path = words[1...].first ?? ""
        func number(_ index: Int) -> Int { Int(words[index])! }
        switch words[0] {
        case "create":
            try enter(path, open(absolute(path), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o644))
            if words.count > 2 { try write(path, 0, words[2...]) }
        case "mkdir":
            try check(mkdir(absolute(path), 0o755), "mkdir", path)
            try enter(path, open(absolute(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC))
            isFolder.insert(path)
        case "symlink": try check(symlink(words[2], absolute(path)), "symlink", path)
        case "write": try write(path, number(2), words[3...])
        case "append":
            var status = stat()
            try check(fstat(try file(path), &status), "fstat", path)
            try write(path, Int(status.st_size), words[2...])
        case "truncate": try check(ftruncate(try file(path), number(2)), "ftruncate", path)
        case "allocate", "allocate-keep-size", "punch", "zero", "zero-keep-size":
            let modes: [String: Int32] = [
                "allocate": 0, "allocate-keep-size": 1, "punch": 3, "zero": 0x10, "zero-keep-size": 0x11,
            ]
            try check(
                faultline_allocate(try file(path), modes[words[0]]!, number(2), number(3)), words[0], path)
        case "link":
            try check(link(absolute(path), absolute(words[2])), "link", path)
            descriptors[words[2]] = try file(path)
        case "unlink": try check(unlink(absolute(path)), "unlink", path)
        case "rmdir": try check(rmdir(absolute(path)), "rmdir", path)
        case "rename", "exchange": try rename(path, words[2], exchanges: words[0] == "exchange")
        case "chmod": try check(fchmod(try file(path), UInt32(words[2], radix: 8)!), "fchmod", path)
        case "setxattr":
            try check(fsetxattr(try file(path), words[2], words[3], words[3].utf8.count, 0), "fsetxattr", path)
        case "removexattr":
            // Removing a missing attribute changes nothing.
            let result = fremovexattr(try file(path), words[2])
            if result != 0, errno != ENODATA { try check(result, "fremovexattr", path) }
        case "fsync": try check(fsync(try file(path)), "fsync", path)
        case "fdatasync": try check(fdatasync(try file(path)), "fdatasync", path)
        case "commit": commit()
        case "write-back": try check(faultline_write_back(try file(path), 0, 0), "sync_file_range", path)
        case "sync": try check(faultline_sync_filesystem(try file(".")), "syncfs", ".")
        default: throw LitmusError("\(words[0]) cannot be executed")
        }
    }

    private func rename(_ from: String, _ to: String, exchanges: Bool) throws {
        try check(
            faultline_rename_at(AT_FDCWD, absolute(from), AT_FDCWD, absolute(to), exchanges ? 2 : 0), "renameat2", from)
        let target = descriptors[to]
        for (path, descriptor) in descriptors where path.hasPrefix(from + "/") {
            descriptors[path] = nil
            descriptors[to + path.dropFirst(from.count)] = descriptor
        }
        descriptors[to] = descriptors[from]
        if exchanges { descriptors[from] = target }
        if isFolder.contains(from) { isFolder.insert(to) }
    }

    private func write(_ path: String, _ offset: Int, _ runs: ArraySlice<String>) throws {
        var bytes: [UInt8] = []
        for run in runs {
            let parts = run.split(separator: "*")
            bytes += [UInt8](repeating: parts[0].utf8.first!, count: parts.count > 1 ? Int(parts[1])! : 1)
        }
        let written = pwrite(try file(path), bytes, bytes.count, offset)
        guard written == bytes.count else { throw LitmusError("pwrite \(path): \(String(cString: strerror(errno)))") }
    }

    private func enter(_ path: String, _ descriptor: Int32) throws {
        descriptors[path] = try check(descriptor, "open", path)
        opened.append(descriptor)
    }

    private func absolute(_ path: String) -> String { root + "/" + path }

    private func file(_ path: String) throws -> Int32 {
        guard let descriptor = descriptors[path] else { throw LitmusError("\(path) is not open") }
        return descriptor
    }

    @discardableResult
    private func check(_ result: Int32, _ call: String, _ path: String) throws -> Int32 {
        guard result >= 0 else {
            throw LitmusError("\(call) \(path): \(String(cString: strerror(result < -1 ? -result : errno)))")
        }
        return result
    }
}
