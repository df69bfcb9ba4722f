import Bytes
import Machine
import Model
import Storage

/// `image/` of a case: the files of a crash state, for inspection.
///
/// Tools that open it follow its links without a sandbox. Links that lead out of it are therefore left out and listed
/// in `image.links` beside it. A replay needs neither: it derives the state from the trace.
package enum CaseImage {
    static let linksName: ByteString = "image.links"

    /// Writes the image of a state to the case's directory.
    package static func write(_ tree: Tree, payloads: any PayloadStore, to directory: ByteString) throws {
        let image = directory.appending(component: CaseRecord.imageName)
        try RunFiles.makeDirectory(image)
        let links = tree.escapingLinks()
        var kept = tree
        for link in links { kept.remove(link.path) }
        try TreeMaterialiser(payloads: payloads).materialise(kept, into: image)
        try note(links, in: directory)
    }

    /// Removes the links that lead out of a copied image.
    package static func close(in directory: ByteString) throws {
        let image = directory.appending(component: CaseRecord.imageName)
        guard RunFiles.exists(image) else { return }
        let links = try Tree(skeletonOf: image).escapingLinks()
        for link in links { try TreeRemoval.remove(file: link.path, beneath: image) }
        try note(links, in: directory)
    }

    /// The links left out of the image, one a line of `image.links`; empty if none were.
    static func linksLeftOut(of directory: ByteString) -> [String] {
        let text = SmallFile.contents(of: directory.appending(component: linksName)) ?? []
        return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private static func note(_ links: [EscapingLink], in directory: ByteString) throws {
        guard !links.isEmpty else { return }
        let path = directory.appending(component: linksName)
        // A copied directory may already have a list of links left out earlier.
        let earlier = RunFiles.exists(path) ? try RunFiles.read(path, followingLinks: false) : []
        try RunFiles.remove(path)
        try OutputFile.create(path, earlier + links.flatMap { "\($0)\n".utf8 })
    }
}

extension Tree {
    /// Removes the directory entry at `path`.
    fileprivate mutating func remove(_ path: ByteString) {
        var names = path.bytes.split(separator: UInt8(ascii: "/")).map { ByteString($0) }
        guard let last = names.popLast() else { return }
        var directory = InodeID.root
        for name in names {
            guard let next = nodes[directory]?.entries[name] else { return }
            directory = next
        }
        nodes[directory]?.entries[last] = nil
    }
}
