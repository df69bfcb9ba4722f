import Bytes
import Model

extension MemoryStorage {
    /// The regular files in the root of a tree, such as a crash state. Leaves out everything else. Throws
    /// `StorageError.invalidName` and the errors of `payloads`.
    public convenience init(_ tree: Tree, payloads: some PayloadStore) throws {
        try self.init(tree, payloads: payloads, sharing: FileImages())
    }

    /// Like `init(_:payloads:)`, sharing file contents through `images` until a file is written.
    ///
    /// - Parameter recorder: notes what is read, if not nil.
    package convenience init(
        _ tree: Tree, payloads: some PayloadStore, sharing images: FileImages, noting recorder: ReadRecorder? = nil
    ) throws {
        var files: [ByteString: MemoryFile] = [:]
        for (name, inode) in tree.nodes[.root]?.entries ?? [:] {
            guard let node = tree.nodes[inode], node.kind == .regular else { continue }
            files[name] = MemoryFile(
                name: name, try images.image(inode, node, payloads: payloads), noting: recorder)
        }
        try self.init(files, noting: recorder)
    }

    /// A hash of all names and contents.
    package func contentHash() -> StateHash {
        files().reduce(into: StateHash(of: [])) { hash, file in
            hash = .mixed(hash, .mixed(StateHash(of: file.key.bytes), file.value.contentHash()))
        }
    }
}
