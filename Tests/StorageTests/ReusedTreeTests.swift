import Bytes
import CPlatform
import Foundation
import Model
import Testing

@testable import Storage

/// A directory that was the one tree and becomes the next, after somebody was at work in it, is what a fresh one is.
struct ReusedTreeTests {
    private static let arena = PayloadArena()
    private let scratch = Scratch()

    @Test(arguments: 0..<8 as Range<UInt64>) func `a reused directory is a fresh one, whatever was done in it`(
        part: UInt64
    )
        throws
    {
        var reusedCount = 0
        var refusals: Set<String> = []
        for seed in stride(from: part, to: 96, by: 8) {
            var random = RandomStream(seed: seed)
            var trees = RandomTree(Self.arena)
            for _ in 0..<20 { trees.change(&random) }
            let place = try Place(trees.tree, beneath: scratch, "\(seed)", Self.arena)
            for step in 0..<10 {
                var vandal = Vandal(root: place.path, spare: place.spare, random: random.stream(UInt64(step)))
                for _ in 0..<random.next(upperBound: 8 as UInt64) { vandal.act() }
                vandal.close()
                for _ in 0..<random.next(upperBound: 5 as UInt64) { trees.change(&random) }
                do {
                    try place.become(trees.tree)
                    reusedCount += 1
                } catch {
                    // Which is no harm: a fresh one is made then.
                    refusals.insert("\(error)")
                    try place.begin(trees.tree)
                }
                let (reused, fresh) = try place.contents(trees.tree)
                guard reused == fresh else {
                    let lines = Set(reused).symmetricDifference(fresh).sorted().joined(separator: "\n")
                    Issue.record("seed \(seed), step \(step), after \(vandal.done):\n\(lines)")
                    break
                }
            }
        }
        #expect(reusedCount > 80, "\(refusals)")
    }

    /// What was done through a name that is gone again shows in no event of the file's own name.
    @Test(arguments: [false, true])
    func `a file that was changed through a second name is made anew`(inNewDirectory: Bool) throws {
        var trees = RandomTree(Self.arena)
        trees.add("file", trees.file("as it was"), in: .root)
        let place = try Place(trees.tree, beneath: scratch, "links", Self.arena)
        let directory = inNewDirectory ? "\(place.path)/new" : place.path
        if inNewDirectory { mkdir(directory, 0o700) }
        // The clock that files have their times from may stand still for a moment.
        usleep(20_000)
        #expect(link("\(place.path)/file", "\(directory)/second") == 0)
        try Data("changed".utf8).write(to: URL(filePath: "\(directory)/second"))
        #expect(unlink("\(directory)/second") == 0)
        try place.become(trees.tree)
        let (reused, fresh) = try place.contents(trees.tree)
        #expect(reused == fresh)
    }

    @Test func `who goes on writing to a file of the last tree does not reach the next one`() throws {
        var trees = RandomTree(Self.arena)
        trees.add("file", trees.file("as it was"), in: .root)
        let place = try Place(trees.tree, beneath: scratch, "stale", Self.arena)
        let file = open("\(place.path)/file", O_RDWR)
        defer { close(file) }
        write(file, "first", 5)
        try place.become(trees.tree)
        write(file, "second", 6)
        let (reused, fresh) = try place.contents(trees.tree)
        #expect(reused == fresh)
        #expect(scratch.contents("stale-1/file") == Array("as it was".utf8))
    }

    @Test func `more changes than the kernel notes are an error`() throws {
        var trees = RandomTree(Self.arena)
        trees.add("file", trees.file(""), in: .root)
        let place = try Place(trees.tree, beneath: scratch, "many", Self.arena)
        let limit = try String(contentsOfFile: "/proc/sys/fs/inotify/max_queued_events", encoding: .utf8)
        let count = try #require(Int(limit.trimmingCharacters(in: .whitespacesAndNewlines)))
        // Two that differ, so that none is taken for the one before.
        for _ in 0...count / 2 + 1 {
            chmod("\(place.path)/file", 0o600)
            truncate("\(place.path)/file", 0)
        }
        #expect(throws: TreeError.self) { try place.become(trees.tree) }
    }

    @Test func `files that nobody has touched and that stay the same are the same files`() throws {
        var trees = RandomTree(Self.arena)
        let directory = trees.add("directory", Node(kind: .directory, attributes: Attributes(mode: 0o750)), in: .root)
        let one = trees.add("one", trees.file("1"), in: directory)
        trees.add("two", trees.file("2"), in: directory)
        trees.add("three", trees.file("3"), in: directory)
        let place = try Place(trees.tree, beneath: scratch, "same", Self.arena)
        let files = ["one", "two", "three"].map { open("\(place.path)/directory/\($0)", O_RDONLY) }
        defer { for file in files { close(file) } }
        trees.tree.nodes[one]!.sizeBytes = 0
        try Data("changed".utf8).write(to: URL(filePath: "\(place.path)/directory/two"))
        _ = try Data(contentsOf: URL(filePath: "\(place.path)/directory/three"))
        try place.become(trees.tree)
        let linkCounts = files.map { file in
            var status = stat()
            return fstat(file, &status) == 0 ? Int(status.st_nlink) : -1
        }
        #expect(linkCounts == [0, 0, 1])
        let (reused, fresh) = try place.contents(trees.tree)
        #expect(reused == fresh)
    }
}

/// A reused directory, and fresh ones beside it.
private final class Place {
    private let scratch: Scratch
    private let name: String
    private let materialiser: TreeMaterialiser
    private var reused: ReusedTree?
    private var number = 0
    /// A directory beside it.
    let spare: String

    init(_ tree: Tree, beneath scratch: Scratch, _ name: String, _ arena: PayloadArena) throws {
        self.scratch = scratch
        self.name = name
        materialiser = TreeMaterialiser(payloads: arena)
        spare = "\(scratch.path)/\(name)-spare"
        mkdir(spare, 0o700)
        try make(tree)
    }

    private var bytes: ByteString { ByteString("\(scratch.path)/\(name)-\(number)") }
    var path: String { "\(bytes)" }

    private func make(_ tree: Tree) throws {
        mkdir(path, 0o700)
        try materialiser.materialise(tree, into: bytes)
        reused = try ReusedTree(tree, at: bytes, materialiser)
    }

    func begin(_ tree: Tree) throws {
        if let reused { try TreeRemoval.remove(reused.path) }
        number += 1
        try make(tree)
    }

    func become(_ tree: Tree) throws {
        number += 1
        try reused!.become(tree, at: bytes)
    }

    func contents(_ tree: Tree) throws -> (reused: [String], fresh: [String]) {
        let fresh = ByteString("\(scratch.path)/\(name)-fresh")
        mkdir("\(fresh)", 0o700)
        try materialiser.materialise(tree, into: fresh)
        defer { try? TreeRemoval.remove(fresh) }
        return (try Inventory.lines(of: path), try Inventory.lines(of: "\(fresh)"))
    }
}

/// Everything about the files beneath a directory but their times.
private enum Inventory {
    static func lines(of root: String) throws -> [String] {
        var lines: [String] = []
        var firstNames: [UInt64: String] = [:]
        func visit(_ path: String, _ shown: String) throws {
            var status = stat()
            guard lstat(path, &status) == 0 else { throw TreeError.system(call: "lstat", path: "", errno: errno) }
            var line = "\(shown) \(String(status.st_mode, radix: 8)) \(status.st_uid):\(status.st_gid)"
            switch status.st_mode & S_IFMT {
            case S_IFREG:
                // Which names are one file.
                let first = firstNames[UInt64(status.st_ino), default: shown]
                firstNames[UInt64(status.st_ino)] = first
                line +=
                    " is \(first) of \(status.st_nlink) "
                    + (try Data(contentsOf: URL(filePath: path)).base64EncodedString())
            case S_IFLNK: line += " -> " + (try FileManager.default.destinationOfSymbolicLink(atPath: path))
            default: break
            }
            if status.st_mode & S_IFMT != S_IFLNK { line += try attributes(path) }
            lines.append(line)
            guard status.st_mode & S_IFMT == S_IFDIR else { return }
            for name in try FileManager.default.contentsOfDirectory(atPath: path).sorted() {
                try visit("\(path)/\(name)", "\(shown)/\(name)")
            }
        }
        try visit(root, ".")
        return lines
    }

    private static func attributes(_ path: String) throws -> String {
        var names = [CChar](repeating: 0, count: 4096)
        let count = max(0, listxattr(path, &names, names.count))
        let list = names[..<count].split(separator: 0).map {
            String(decoding: $0.map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
        return list.sorted().map { name in
            var value = [UInt8](repeating: 0, count: 256)
            let size = max(0, getxattr(path, name, &value, value.count))
            return " \(name)=\(value[..<size])"
        }.joined()
    }
}

/// A tree that changes as those of crash states do, and more.
private struct RandomTree {
    var tree = Tree(rootAttributes: Attributes(mode: 0o755))
    private let arena: PayloadArena
    private var lastInode: UInt64 = 1

    init(_ arena: PayloadArena) { self.arena = arena }

    func file(_ text: String) -> Node {
        var node = Node(kind: .regular, attributes: Attributes(mode: 0o640))
        node.content.write(arena.store(Array(text.utf8)), at: 0)
        node.sizeBytes = UInt64(text.utf8.count)
        return node
    }

    @discardableResult
    mutating func add(_ name: ByteString, _ node: Node, in directory: InodeID) -> InodeID {
        lastInode += 1
        tree.nodes[InodeID(lastInode)] = node
        tree.nodes[directory]?.entries[name] = InodeID(lastInode)
        return InodeID(lastInode)
    }

    mutating func change(_ random: inout RandomStream) {
        let reachable = Array(tree.reachable())
        let directories = reachable.map(\.inode).filter { tree.nodes[$0]?.kind == .directory }
        let files = reachable.map(\.inode).filter { tree.nodes[$0]?.kind == .regular }
        let directory = directories.randomElement(using: &random)!
        let name = ByteString("n\(random.next(upperBound: 6 as UInt64))")
        let isFree = tree.nodes[directory]?.entries[name] == nil
        switch random.next(upperBound: 12 as UInt64) {
        case 0 where isFree, 1 where isFree: add(name, file("text \(random.next())"), in: directory)
        case 2 where isFree: add(name, Node(kind: .directory, attributes: Attributes(mode: 0o2755)), in: directory)
        case 3 where isFree:
            let kinds: [NodeKind] = [.symbolicLink(target: "n1"), .fifo, .socket]
            add(
                name, Node(kind: kinds.randomElement(using: &random)!, attributes: Attributes(mode: 0o600)),
                in: directory)
        case 4 where isFree:
            if let file = files.randomElement(using: &random) { tree.nodes[directory]!.entries[name] = file }
        case 5: tree.nodes[directory]!.entries[name] = nil
        case 6 where isFree: move(to: directory, name, directories, &random)
        case 7: tree.nodes[directory]!.attributes.mode = [0o700, 0o755, 0o1777].randomElement(using: &random)!
        case 8: tree.nodes[directory]!.extendedAttributes["user.d"] = random.chance(1, in: 2) ? "x" : nil
        case 9:
            // An inode that is lost, and its name is not.
            if random.chance(1, in: 4), let file = files.randomElement(using: &random) { tree.nodes[file] = nil }
        default:
            guard let file = files.randomElement(using: &random) else { return }
            switch random.next(upperBound: 4 as UInt64) {
            case 0:
                tree.nodes[file]!.content.write(
                    arena.store([1, 2, UInt8(random.next(upperBound: 9 as UInt64))]), at: 2)
            case 1: tree.nodes[file]!.sizeBytes = random.next(upperBound: 9000)
            case 2: tree.nodes[file]!.attributes.mode = 0o604
            default: tree.nodes[file]!.extendedAttributes["user.f"] = random.chance(1, in: 2) ? "y" : nil
            }
        }
    }

    /// Moves what has some name to another one, unless it is a directory that would then be in itself.
    private mutating func move(
        to directory: InodeID, _ name: ByteString, _ directories: [InodeID], _ random: inout RandomStream
    ) {
        let source = directories.randomElement(using: &random)!
        guard
            let (old, inode) = tree.nodes[source]!.entries.sorted(by: { $0.key < $1.key }).randomElement(using: &random)
        else { return }
        var inside: [InodeID] = [inode]
        while let next = inside.popLast() {
            if next == directory { return }
            if let node = tree.nodes[next] { inside += node.entries.values }
        }
        tree.nodes[source]!.entries[old] = nil
        tree.nodes[directory]!.entries[name] = inode
    }
}

/// Does to files whatever a recovery may do, and says what it did.
private struct Vandal {
    let root: String
    /// A directory outside.
    let spare: String
    var random: RandomStream
    private(set) var done: [String] = []
    private var descriptors: [Int32] = []

    init(root: String, spare: String, random: RandomStream) {
        (self.root, self.spare, self.random) = (root, spare, random)
    }

    /// As the end of a process does.
    mutating func close() {
        for descriptor in descriptors { Glibc.close(descriptor) }
        descriptors = []
    }

    private mutating func path(ofKind kind: mode_t? = nil) -> String? {
        let all = (FileManager.default.subpaths(atPath: root) ?? []).sorted().map { "\(root)/\($0)" }
        return all.filter { path in
            var status = stat()
            return kind == nil || lstat(path, &status) == 0 && status.st_mode & S_IFMT == kind
        }.randomElement(using: &random)
    }

    private mutating func newPath() -> String {
        let directory = random.chance(1, in: 3) ? path(ofKind: S_IFDIR) ?? root : root
        return "\(directory)/v\(random.next(upperBound: 4 as UInt64))"
    }

    mutating func act() {
        let action = random.next(upperBound: 18 as UInt64)
        let file = path(ofKind: S_IFREG) ?? "\(root)/none"
        let any = path() ?? "\(root)/none"
        let directory = path(ofKind: S_IFDIR) ?? root
        let fresh = newPath()
        done.append(
            "\(action) \(file.dropFirst(root.count)) \(any.dropFirst(root.count)) \(fresh.dropFirst(root.count))")
        switch action {
        case 0: overwrite(file, O_WRONLY)
        case 1: overwrite(file, O_WRONLY | O_APPEND)
        case 2: truncate(file, off_t(random.next(upperBound: 5000 as UInt64)))
        case 3: storeInMapping(file)
        case 4: rename(any, fresh)
        case 5: rename(any, path() ?? fresh)
        case 6: link(file, fresh)
        case 7: chmod(any, mode_t(random.next(upperBound: 0o1000 as UInt64)))
        case 8: setxattr(any, "user.v", "z", 1, 0)
        case 9: unlink(any)
        case 10: mkdir(fresh, 0o700)
        case 11: rmdir(directory)
        case 12: symlink("/etc", fresh)
        case 13: overwrite(fresh, O_WRONLY | O_CREAT)
        case 14: rename(any, "\(spare)/v\(random.next(upperBound: 4 as UInt64))")
        case 15: rename("\(spare)/v\(random.next(upperBound: 4 as UInt64))", fresh)
        case 16:
            link(file, fresh)
            overwrite(fresh, O_WRONLY)
            unlink(fresh)
        default:
            mkfifo(fresh, 0o600)
            removexattr(any, "user.f")
        }
    }

    private mutating func overwrite(_ path: String, _ flags: Int32) {
        let file = open(path, flags | O_NOFOLLOW | O_NONBLOCK, 0o600)
        guard file >= 0 else { return }
        if random.chance(3, in: 4) { write(file, "vandal", 6) }
        descriptors.append(file)
    }

    /// Which no call for the file's data shows.
    private mutating func storeInMapping(_ path: String) {
        let file = open(path, O_RDWR | O_NOFOLLOW)
        guard file >= 0 else { return }
        defer { Glibc.close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_size > 0,
            let memory = mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), memory != MAP_FAILED
        else { return }
        memory.storeBytes(of: 0x56, as: UInt8.self)
        munmap(memory, 4096)
    }
}
