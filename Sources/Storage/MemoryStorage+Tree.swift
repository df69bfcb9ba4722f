import Bytes
import Model

extension MemoryStorage {
    /// The regular files in the root of a tree: a crash state, as a store finds it. What a flat directory cannot hold is
    /// left out. Throws `StorageError.invalidName`, or whatever `payloads` throws.
    public convenience init(_ tree: Tree, payloads: some PayloadStore) throws {
        var contents: [ByteString: [UInt8]] = [:]
        for (name, inode) in tree.nodes[.root]?.entries ?? [:] {
            guard let node = tree.nodes[inode], node.kind == .regular else { continue }
            var bytes = [UInt8](repeating: 0, count: Int(clamping: node.sizeBytes))
            for extent in node.content.slice(0..<node.sizeBytes) {
                let run = Int(extent.offsetBytes)..<Int(extent.endBytes)
                bytes.replaceSubrange(run, with: try payloads.bytes(of: extent.data))
            }
            contents[name] = bytes
        }
        try self.init(contents: contents)
    }
}
