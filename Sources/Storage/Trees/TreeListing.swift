import Bytes

/// Lists a directory that may change meanwhile.
package enum TreeListing {
    /// The paths of all files and directories, relative to `directory`, unordered. Does not follow links. Skips entries
    /// that cannot be read, disappear meanwhile, or are nested deeper than 256 directories.
    package static func paths(beneath directory: ByteString) -> [ByteString] {
        var paths: [ByteString] = []
        do throws(TreeError) {
            try list(DirectoryHandle(opening: directory), "", &paths)
        } catch {
            return paths
        }
        return paths
    }

    /// The names in a directory; nil when it cannot be read.
    package static func names(in directory: ByteString) -> [ByteString]? {
        do throws(TreeError) { return try DirectoryHandle(opening: directory).names() } catch { return nil }
    }

    /// Each level needs a descriptor and stack space.
    private static let depthLimit = 256

    private static func list(
        _ directory: borrowing DirectoryHandle, _ prefix: ByteString, _ paths: inout [ByteString], depth: Int = 0
    ) throws(TreeError) {
        guard depth < depthLimit else { return }
        for name in try directory.names() {
            let path = prefix.isEmpty ? name : prefix.appending(component: name)
            paths.append(path)
            do throws(TreeError) {
                try list(DirectoryHandle(name, in: directory), path, &paths, depth: depth + 1)
            } catch {
                continue
            }
        }
    }
}
