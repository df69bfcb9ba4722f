import Bytes
import Exploration
import Foundation
import Model
import Oracle
import Storage
import Targets

@testable import Machine
@testable import Runs

/// A case with links that lead out of its state, a target that follows them, and what they lead to.
struct HostileCase {
    /// What must stay as it is: a directory with the file `db`.
    let outside: ByteString
    let manifest: String
    let directory: ByteString
    private let scratch: Scratch

    /// Where links lie in a state, and where they lead: `OUT` is the directory outside, `UP` as many `../` as reach the root.
    static let links: [(what: String, links: [(path: String, target: String)])] = [
        ("an absolute link", [("db", "OUT/db")]),
        ("a link that climbs", [("db", "UPOUT/db")]),
        ("a link to a directory", [("d", "OUT")]),
        ("a link in the middle of a path", [("a/b", "UPOUT")]),
        ("a chain of links", [("db", "x"), ("x", "y/db"), ("y", "a/z"), ("a/z", "OUT")]),
        ("a link to a name that is not there yet", [("new", "OUT/new")]),
    ]

    /// Writes through every link, the way a store that opens its files does, and shows no key.
    private static let store = """
        #!/bin/sh
        cd "$FAULTLINE_DIR" || exit 2
        touch_outside() {
            for file in db d/db a/b/db new; do (echo changed >> $file) 2>/dev/null; done
            rm -f d/db a/b/db; mkdir d/made a/b/made; chmod 0777 db d a/b; ln db d/db2
        } 2>/dev/null
        if [ "$1" = recover ]; then touch_outside; echo '{"end":true}'; exit 0; fi
        [ -z "$LIVE" ] || (echo changed >> "$OUT/db") 2>/dev/null
        [ "$FAULTLINE_FIRST_SEQ" -lt 1000000 ] || touch_outside
        ln -sn "$OUT/db" db 2>/dev/null; ln -sn "$OUT" d 2>/dev/null
        s=$FAULTLINE_FIRST_SEQ
        line='"op":"put","seq":'$s',"key":"aw==","payload":"AQI="'
        echo "{$line,\\"phase\\":\\"begin\\"}" >> "$FAULTLINE_ORACLE"
        echo 1 > log
        echo "{$line}" >> "$FAULTLINE_ORACLE"
        """

    /// - Parameter manifestDirectory: where the target is; within `scratch` unless somebody else is to reach it.
    init(_ links: [(path: String, target: String)], in scratch: Scratch, isLive: Bool = false) throws {
        self.scratch = scratch
        outside = try scratch.make("outside")
        try Data("precious".utf8).write(to: URL(filePath: outside.shown + "/db"))
        let script = scratch.url.appending(path: "store.sh")
        try Self.store.write(to: script, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script.path)
        manifest = scratch.url.appending(path: "hostile.yaml").path
        let text = """
            name: hostile
            description: follows links
            workload: ["\(script.path)", workload]
            recover: ["\(script.path)", recover]
            environment: {OUT: "\(outside)", LIVE: "\(isLive ? "1" : "")"}

            """
        try text.write(toFile: manifest, atomically: false, encoding: .utf8)
        directory = try scratch.make("case")
        try write(links)
    }

    private func write(_ links: [(path: String, target: String)]) throws {
        let lines = [OracleLine.begin(.put(1, "k", [1, 2])), .acknowledged(.put(1, "k", [1, 2]))]
        let arena = PayloadArena()
        let recording = Recording(
            base: Self.tree(resolved(links)),
            events: lines.map { TraceEvent.oracle(arena.store($0.encoded.dropLast())) }, payloads: arena)
        try recording.write(firstEvents: 2, to: directory.appending(component: CaseRecord.traceName))
        try OutputFile.create(directory.appending(component: CaseRecord.oracleName), lines.flatMap(\.encoded))
        try record.write(to: directory)
        try OutputFile.create(
            directory.appending(component: CaseRecord.manifestName),
            Array(try Data(contentsOf: URL(filePath: manifest))))
    }

    var record: CaseRecord {
        CaseRecord(
            target: "hostile", manifest: CaseRecord.manifestName.description, configuration: [:], contract: "durable",
            scenario: .explore, seed: 1, profile: .strict, crashPoint: 2, lost: "", check: .check(.durable),
            story: "lost")
    }

    /// The links with their places filled in.
    func resolved(_ links: [(path: String, target: String)]) -> [(path: String, target: String)] {
        let up = String(repeating: "../", count: 40).dropLast()
        return links.map { ($0.path, $0.target.replacing("UP", with: up).replacing("OUT", with: outside.shown)) }
    }

    private static func tree(_ links: [(path: String, target: String)]) -> Tree {
        var tree = Tree()
        func add(_ kind: NodeKind, _ name: String, in directory: InodeID) -> InodeID {
            if let known = tree.nodes[directory]?.entries[ByteString(name)] { return known }
            let inode = InodeID(UInt64(tree.nodes.count) + 1)
            tree.nodes[inode] = Node(kind: kind, attributes: Attributes(mode: 0o755))
            tree.nodes[directory]?.entries[ByteString(name)] = inode
            return inode
        }
        for (path, target) in links {
            var names = path.split(separator: "/").map(String.init)
            let last = names.removeLast()
            let parent = names.reduce(InodeID.root) { add(.directory, $1, in: $0) }
            _ = add(.symbolicLink(target: ByteString(target)), last, in: parent)
        }
        return tree
    }

    /// Makes a directory on disk with these links in it.
    func plant(_ links: [(path: String, target: String)], in directory: ByteString) throws {
        try TreeMaterialiser(payloads: PayloadArena()).materialise(Self.tree(resolved(links)), into: directory)
    }

    /// Makes the case one of a killed process, of which the image is all there is.
    func becomeKilled(_ links: [(path: String, target: String)]) throws {
        try FileManager.default.removeItem(atPath: directory.shown + "/case.json")
        var killed = record
        (killed.scenario, killed.profile, killed.crashPoint) = (.kill, .kill, 0)
        try killed.write(to: directory)
        let image = directory.appending(component: CaseRecord.imageName)
        try RunFiles.makeDirectory(image)
        try plant(links, in: image)
    }

    /// Everything that is outside, in words.
    var picture: [String] {
        get throws {
            let manager = FileManager.default
            return try manager.subpathsOfDirectory(atPath: outside.shown).sorted().map { name in
                let path = outside.shown + "/" + name
                let mode = try manager.attributesOfItem(atPath: path)[.posixPermissions] as? Int ?? 0
                let text = manager.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
                return "\(name) \(String(mode, radix: 8)) \(text)"
            } + ["\(try manager.attributesOfItem(atPath: outside.shown)[.posixPermissions] as? Int ?? 0)"]
        }
    }
}
