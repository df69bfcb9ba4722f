import Bytes

/// What is beneath a directory that somebody else may be changing.
package enum TreeListing {
    /// The paths of all files and directories, relative to `directory`, in no order. Links are not followed; what cannot be
    /// read, or vanishes meanwhile, is left out.
    package static func paths(beneath directory: ByteString) -> [ByteString] {
        var paths: [ByteString] = []
        do throws(TreeError) {
            try list(DirectoryHandle(opening: directory), "", &paths)
        } catch {
            return paths
        }
        return paths
    }

    private static func list(
        _ directory: borrowing DirectoryHandle, _ prefix: ByteString, _ paths: inout [ByteString]
    ) throws(TreeError) {
        for name in try directory.names() {
            let path = prefix.isEmpty ? name : prefix.appending(component: name)
            paths.append(path)
            do throws(TreeError) {
                try list(DirectoryHandle(name, in: directory), path, &paths)
            } catch {
                continue
            }
        }
    }
}
