import Bytes
import CPlatform
import Glibc
import Model
import Platform
import Testing

@testable import FaultFS

/// Unlinked files, which the mount keeps until no crash can bring them back.
struct OrphanTests {
    /// A table whose orphan directory has new files without another name.
    private final class Tree {
        let directory: String
        let table: InodeTable
        let nodes: [Inode]

        init(count: Int) throws {
            var template = Array("/tmp/faultfs-orphans-XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil else { throw Errno(errno) }
            directory = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
            try #require(mkdir(directory + "/orphans", 0o700) == 0)
            let root = try SharedDescriptor.open(ByteString(directory), O_RDONLY | O_DIRECTORY)
            let orphans = try SharedDescriptor.open(ByteString(directory + "/orphans"), O_RDONLY | O_DIRECTORY)
            table = InodeTable(root: root, number: 1, orphans: orphans, descriptorLimit: 2 * count)
            table.endBase()
            nodes = try (0..<count).map { [table, directory] index in
                let name = "\(directory)/\(index)"
                let file = try SharedDescriptor.open(ByteString(name), O_RDWR | O_CREAT, mode: 0o600)
                var attributes = stat()
                try Errno.check(faultline_fstat(file.rawValue, &attributes))
                let node = table.add(attributes, at: ByteString("\(index)"), in: table.root)
                node.descriptor = file
                // A program has it open until it is unlinked.
                node.lookups = 1
                try #require(rename(name, "\(directory)/orphans/\(node.id.rawValue)") == 0)
                table.addOrphan(node)
                table.unlink(ByteString("\(index)"), in: table.root)
                return node
            }
        }

        deinit { _ = Shell.run("rm -rf '\(directory)'") }

        var names: Int { Shell.run("ls '\(directory)/orphans'").output.split(separator: "\n").count }
    }

    private final class WeakDescriptor {
        weak var descriptor: SharedDescriptor?
        init(_ descriptor: SharedDescriptor?) { self.descriptor = descriptor }
    }

    /// Whoever synced has its answer only when the space is free, and no descriptor is left to a thread that outlives the mount.
    @Test func `orphans that no crash can bring back are closed before the call returns`() throws {
        // Again and again: a thread that closes them may be quick.
        for _ in 0..<20 {
            let tree = try Tree(count: 8)
            let open = tree.nodes.map { WeakDescriptor($0.descriptor) }
            #expect(open.allSatisfy { $0.descriptor != nil })
            for node in tree.nodes { node.lookups = 0 }
            tree.table.pruneOrphans(onlyUnchecked: true) { _ in false }
            #expect(open.allSatisfy { $0.descriptor == nil })
            #expect(tree.names == 0)
        }
    }

    @Test func `an orphan that a crash can bring back stays`() throws {
        let tree = try Tree(count: 3)
        let kept = tree.nodes[1].id
        tree.table.pruneOrphans(onlyUnchecked: true) { $0 == kept }
        #expect(tree.nodes.map(\.isOrphaned) == [false, true, false])
        #expect(tree.names == 1)
    }
}
