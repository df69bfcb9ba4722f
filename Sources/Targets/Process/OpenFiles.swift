import Bytes
import Glibc

/// Open files of processes, from /proc.
enum OpenFiles {
    /// Whether the process may have a file or directory in `directory` open, mapped or as its working directory. True if
    /// unknown.
    ///
    /// Compares the last component of the directory's path, which must be unique: in another mount namespace the rest of the
    /// path may differ.
    static func mayHold(_ directory: ByteString, _ process: pid_t) -> Bool {
        let name = directory.bytes.split(separator: UInt8(ascii: "/")).last.map(Array.init) ?? []
        func isInside(_ path: some Sequence<UInt8>) -> Bool {
            path.split(separator: UInt8(ascii: "/")).contains { $0.elementsEqual(name) }
        }
        // A ring may hold files that are not among the descriptors.
        func isUnclear(_ target: [UInt8]) -> Bool { target == Array("anon_inode:[io_uring]".utf8) }

        guard !ProcessTable.isZombie(process) else { return false }
        guard let descriptors = links(in: "/proc/\(process)/fd"), let maps = mappedPaths(of: process) else {
            return true
        }
        for place in ["cwd", "root"] {
            guard let target = link("/proc/\(process)/\(place)"), !isInside(target) else { return true }
        }
        return descriptors.contains { isInside($0) || isUnclear($0) } || maps.contains { isInside($0) }
    }

    /// The inodes of the sockets that a process has open.
    static func sockets(of process: pid_t) -> [String] {
        (links(in: "/proc/\(process)/fd") ?? []).compactMap { target in
            let text = String(decoding: target, as: UTF8.self)
            guard text.hasPrefix("socket:[") else { return nil }
            return String(text.dropFirst("socket:[".count).dropLast())
        }
    }

    /// The targets of the links in a directory of /proc; nil if it cannot be read.
    private static func links(in directory: String) -> [[UInt8]]? {
        guard let stream = opendir(directory) else { return nil }
        defer { closedir(stream) }
        var targets: [[UInt8]] = []
        while let entry = readdir(stream) {
            let name = UnsafeRawPointer(entry) + MemoryLayout<dirent>.offset(of: \.d_name)!
            let text = String(cString: name.assumingMemoryBound(to: CChar.self))
            guard text != ".", text != ".." else { continue }
            // Descriptors that were closed meanwhile are skipped.
            if let target = link("\(directory)/\(text)") { targets.append(target) }
        }
        return targets
    }

    private static func link(_ path: String) -> [UInt8]? {
        var target = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = target.withUnsafeMutableBytes { readlink(path, $0.baseAddress!, $0.count) }
        return count < 0 ? nil : Array(target[..<count])
    }

    /// The mapped files of a process (proc(5), maps); nil if unknown.
    private static func mappedPaths(of process: pid_t) -> [ArraySlice<UInt8>]? {
        guard let maps = ProcessTable.contents("/proc/\(process)/maps"), !maps.isEmpty else { return nil }
        return maps.split(separator: UInt8(ascii: "\n")).compactMap { line in
            line.firstIndex(of: UInt8(ascii: "/")).map { line[$0...] }
        }
    }
}
