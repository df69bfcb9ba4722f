import Bytes
import Model

/// Compares the files of crash states with those before the run and with those that running programs saw.
package struct TreeComparison: Sendable {
    /// The files of a state, those that differ from what programs saw first. Bounded.
    package struct Files: Sendable {
        package var shown: [FileFacts] = []
        /// The number of files that are left out.
        package var leftOut = 0
    }

    private let before: Tree
    private let believed: Tree
    private let payloads: any PayloadStore
    private let paths: [ByteString: [InodeID?]]

    private static let filesAtMost = 60

    package init(before: Tree, believed: Tree, _ payloads: any PayloadStore) {
        (self.before, self.believed, self.payloads) = (before, believed, payloads)
        var paths: [ByteString: [InodeID?]] = [:]
        for (place, tree) in [before, believed].enumerated() {
            for name in tree.reachable().dropFirst() { paths[name.path, default: [nil, nil]][place] = name.inode }
        }
        self.paths = paths
    }

    package func files(found: Tree) throws -> Files {
        var all = paths.mapValues { $0 + [nil] }
        for name in found.reachable().dropFirst() { all[name.path, default: [nil, nil, nil]][2] = name.inode }
        var files: [FileFacts] = []
        for (path, inodes) in all {
            let nodes = zip(inodes, [before, believed, found]).map { inode, tree in inode.flatMap { tree.nodes[$0] } }
            var file = FileFacts(path: path, before: nodes[0], believed: nodes[1], found: nodes[2])
            if let old = nodes[1], let new = nodes[2], old.kind == .regular, new.kind == .regular {
                try file.compare(old, new, payloads)
            } else if let only = nodes[1] ?? nodes[2], only.kind == .regular, nodes[1] == nil || nodes[2] == nil {
                try file.show(only, isFound: nodes[2] != nil, payloads)
            }
            files.append(file)
        }
        files.sort { ($0.differs ? 0 : 1, $0.path) < ($1.differs ? 0 : 1, $1.path) }
        return Files(shown: Array(files.prefix(Self.filesAtMost)), leftOut: max(0, files.count - Self.filesAtMost))
    }
}
