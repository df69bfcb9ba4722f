import Bytes
import CPlatform
import FaultFS
import Glibc

/// The places for temporary directories of runs: materialised crash states, mount points.
///
/// The directories are in memory (tmpfs) if possible. Their names have our prefix and the user's id. They are
/// accessible only to their owner, and hold a record of their process for `cleanup`.
package enum ScratchSpace {
    /// The first part of the names of one user's directories.
    package static func prefix(owner: UInt32) -> ByteString { ByteString("faultline-scratch-\(owner)-") }

    /// The parent of scratch directories: /dev/shm if it is in memory and writable, else TMPDIR, else /tmp. Absolute,
    /// without symbolic links.
    package static func parent() -> ByteString {
        let memory = resolved("/dev/shm")
        if memory.withCString({ faultline_is_in_memory($0) }) == 1, isWritable(memory) { return memory }
        return temporaryDirectory()
    }

    /// All possible parents of scratch directories of earlier runs.
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

    /// Creates a trace for live power cuts only, in a file that is unlinked at once. It starts in scratch space, so
    /// that `cleanup` finds it if the process is killed before that.
    static func unnamedTrace() throws -> FileTrace {
        let scratch = try ScratchDirectory(in: temporaryDirectory())
        defer { try? scratch.remove() }
        return try FileTrace.unnamed(in: scratch.path)
    }

    /// The path without symbolic links, as in the kernel's mount table; unchanged if it does not exist.
    package static func resolved(_ path: ByteString) -> ByteString {
        guard let resolved = path.withCString({ realpath($0, nil) }) else { return path }
        defer { free(resolved) }
        return ByteString(UnsafeRawBufferPointer(start: resolved, count: strlen(resolved)))
    }

    /// The spill directory: `place` if it is on a disk, else another directory on a disk if there is one.
    package static func onDisk(preferring place: ByteString) -> ByteString {
        [place, temporaryDirectory(), "/var/tmp"].first { candidate in
            candidate.withCString { faultline_is_in_memory($0) } == 0 && isWritable(candidate)
        } ?? place
    }

    private static func isWritable(_ path: ByteString) -> Bool { path.withCString { access($0, W_OK | X_OK) } == 0 }
}
