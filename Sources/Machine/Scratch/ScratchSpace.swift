import Bytes
import CPlatform
import FaultFS
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
        let memory = resolved("/dev/shm")
        if memory.withCString({ faultline_is_in_memory($0) }) == 1, isWritable(memory) { return memory }
        return temporaryDirectory()
    }

    /// Every place in which scratch space of an earlier run may be.
    package static func possibleParents() -> [ByteString] {
        var parents = [resolved("/dev/shm")]
        for parent in [temporaryDirectory(), resolved("/tmp")] where !parents.contains(parent) {
            parents.append(parent)
        }
        return parents
    }

    /// A directory for files that may be large: TMPDIR, else /tmp. Absolute, without symbolic links.
    package static func temporaryDirectory() -> ByteString {
        for candidate in [getenv("TMPDIR").map { String(cString: $0) }, "/tmp"].compactMap({ $0 }) {
            guard !candidate.isEmpty else { continue }
            let path = resolved(ByteString(candidate))
            if isWritable(path) { return path }
        }
        return "/tmp"
    }

    /// A trace for a live power cut alone, in a file that loses its name at once. Until then it is in scratch space, so that
    /// a process which is killed in between leaves nothing that `cleanup` does not know.
    static func unnamedTrace() throws -> FileTrace {
        let scratch = try ScratchDirectory(in: temporaryDirectory())
        defer { try? scratch.remove() }
        return try FileTrace.unnamed(in: scratch.path)
    }

    /// Without symbolic links, as the kernel lists mounts; the path itself if it is not there.
    private static func resolved(_ path: ByteString) -> ByteString {
        guard let resolved = path.withCString({ realpath($0, nil) }) else { return path }
        defer { free(resolved) }
        return ByteString(UnsafeRawBufferPointer(start: resolved, count: strlen(resolved)))
    }

    /// Where to put what memory has no room for: a directory on a disk, if there is one; `place`, if that is.
    package static func onDisk(preferring place: ByteString) -> ByteString {
        [place, temporaryDirectory(), "/var/tmp"].first { candidate in
            candidate.withCString { faultline_is_in_memory($0) } == 0 && isWritable(candidate)
        } ?? place
    }

    private static func isWritable(_ path: ByteString) -> Bool { path.withCString { access($0, W_OK | X_OK) } == 0 }
}
