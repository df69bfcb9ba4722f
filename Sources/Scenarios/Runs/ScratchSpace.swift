import Bytes
import CPlatform
import Glibc

/// Where directories are kept that live no longer than a run: materialised crash states, mount points.
///
/// They are in memory (tmpfs) where there is one, bear our prefix and our user's id, are closed to others, and hold a
/// record of the process that made them, so that `cleanup` knows whose they are when that process is dead.
package enum ScratchSpace {
    /// The first part of the names of one user's directories.
    package static func prefix(owner: UInt32) -> ByteString { ByteString("faultline-scratch-\(owner)-") }

    /// The directory in which scratch space is made: /dev/shm when it is in memory and may be written, else TMPDIR,
    /// else /tmp. Absolute, without symbolic links.
    package static func parent() -> ByteString {
        let memory: ByteString = "/dev/shm"
        if memory.withCString({ faultline_is_in_memory($0) }) == 1, isWritable(memory) { return memory }
        return temporaryDirectory()
    }

    /// Every place in which scratch space of an earlier run may be.
    package static func possibleParents() -> [ByteString] {
        var parents: [ByteString] = ["/dev/shm"]
        for parent in [temporaryDirectory(), "/tmp"] where !parents.contains(parent) { parents.append(parent) }
        return parents
    }

    /// A directory for files that may be large: TMPDIR, else /tmp. Absolute, without symbolic links.
    package static func temporaryDirectory() -> ByteString {
        for candidate in [getenv("TMPDIR").map { String(cString: $0) }, "/tmp"].compactMap({ $0 }) {
            guard !candidate.isEmpty, let path = realpath(candidate, nil) else { continue }
            defer { free(path) }
            let bytes = ByteString(UnsafeRawBufferPointer(start: path, count: strlen(path)))
            if isWritable(bytes) { return bytes }
        }
        return "/tmp"
    }

    private static func isWritable(_ path: ByteString) -> Bool { path.withCString { access($0, W_OK | X_OK) } == 0 }
}
