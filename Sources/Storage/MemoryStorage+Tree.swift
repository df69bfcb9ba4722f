import Bytes
import Model

extension MemoryStorage {
    /// The regular files in the root of a tree: a crash state, as a store finds it. What a flat directory cannot hold is
    /// left out. Throws `StorageError.invalidName`, or whatever `payloads` throws.
    public convenience init(_ tree: Tree, payloads: some PayloadStore) throws {
        try self.init(tree, payloads: payloads, sharing: FileImages())
    }

    /// The same, with files that are shared with other storages of these images until they are written to.
    package convenience init(_ tree: Tree, payloads: some PayloadStore, sharing images: FileImages) throws {
        var files: [ByteString: MemoryFile] = [:]
        for (name, inode) in tree.nodes[.root]?.entries ?? [:] {
            guard let node = tree.nodes[inode], node.kind == .regular else { continue }
            files[name] = MemoryFile(name: name, try images.image(inode, node, payloads: payloads))
        }
        try self.init(files)
    }

    /// A hash of all names and what they hold.
    package func contentHash() -> StateHash {
        files().reduce(into: StateHash(of: [])) { hash, file in
            hash = .mixed(hash, .mixed(StateHash(of: file.key.bytes), file.value.contentHash()))
        }
    }
}
