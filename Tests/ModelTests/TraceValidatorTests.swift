import Bytes
import Foundation
import Litmus
import Model
import Testing

/// Traces that no storage can have done are told from those that one has.
struct TraceValidatorTests {
    private static let attributes = Attributes(mode: 0o644)
    private static let (file, directory, inner) = (InodeID(2), InodeID(3), InodeID(4))
    private static let (nameless, link, namelessFile) = (InodeID(5), InodeID(6), InodeID(7))

    /// `f` (also named `g`), `d` with `d/e` in it, the link `l`, and a directory and a file without a name.
    private static let base: [BaseRecord] = [
        .node(.root, .directory, attributes, sizeBytes: 0), .node(file, .regular, attributes, sizeBytes: 9),
        .node(directory, .directory, attributes, sizeBytes: 0), .node(inner, .directory, attributes, sizeBytes: 0),
        .entry(at("f"), file), .entry(at("g"), file), .entry(at("d"), directory),
        .entry(DirectoryEntry(directory, "e"), inner), .node(nameless, .directory, attributes, sizeBytes: 0),
        .node(link, .symbolicLink(target: "f"), attributes, sizeBytes: 0), .entry(at("l"), link),
        .node(namelessFile, .regular, attributes, sizeBytes: 0),
        .extendedAttribute(file, name: "user.a", value: "v"),
    ]

    private static func at(_ name: ByteString, in directory: InodeID = .root) -> DirectoryEntry {
        DirectoryEntry(directory, name)
    }

    private static func make(_ number: UInt64, _ kind: NodeKind = .regular, at entry: DirectoryEntry) -> Change {
        .create(InodeID(number), kind, attributes, at: entry)
    }

    private static func write(_ inode: InodeID) -> Change {
        .write(inode, offsetBytes: 0, data: Payload(offsetBytes: 0, countBytes: 1))
    }

    /// Events with ids from 1 on; a change is an operation.
    private static func events(_ changes: [Change]) -> [TraceEvent] {
        changes.enumerated().map { .operation(Operation(id: OperationID(UInt64($0 + 1)), $1)) }
    }

    /// The first event that is refused, from 1, and why.
    private static func refusal(_ base: [BaseRecord], _ events: [TraceEvent]) throws -> (Int, IllegalEvent)? {
        var validator = TraceValidator()
        for record in base { try validator.check(record) }
        try validator.checkBaseEnd()
        for (index, event) in events.enumerated() {
            do throws(IllegalEvent) { try validator.check(event) } catch { return (index + 1, error) }
        }
        return nil
    }

    /// The last of the changes is what cannot be.
    private static let illegal: [([Change], IllegalEvent)] = [
        ([.unlink(at("x"))], .nameMissing(at("x"))),
        ([.unlink(at("f")), .unlink(at("f"))], .nameMissing(at("f"))),
        ([.unlink(at("f", in: InodeID(9)))], .nameMissing(at("f", in: InodeID(9)))),
        ([.unlink(at("d"))], .directoryNotEmpty(at("d"))),
        ([make(9, at: at("f"))], .nameTaken(at("f"))),
        ([make(2, at: at("x"))], .duplicateInode(file)),
        ([.unlink(at("f")), .unlink(at("g")), make(2, at: at("f"))], .duplicateInode(file)),
        ([make(9, at: at("x", in: file))], .notADirectory(file)),
        ([make(9, at: at("x", in: InodeID(9)))], .unknownInode(InodeID(9))),
        (
            [.unlink(at("e", in: directory)), .unlink(at("d")), make(9, at: at("x", in: directory))],
            .removedDirectory(directory)
        ),
        ([write(InodeID(9))], .unknownInode(InodeID(9))), ([write(directory)], .notAFile(directory)),
        ([make(9, .fifo, at: at("p")), write(InodeID(9))], .notAFile(InodeID(9))),
        ([.truncate(directory, sizeBytes: 0)], .notAFile(directory)),
        ([.allocate(.root, offsetBytes: 0, countBytes: 1, .extend)], .notAFile(.root)),
        ([.setAttributes(InodeID(9), attributes)], .unknownInode(InodeID(9))),
        ([.setExtendedAttribute(InodeID(9), name: "user.x", value: nil)], .unknownInode(InodeID(9))),
        ([.link(directory, at: at("x"))], .linkToDirectory(directory)),
        ([.link(file, at: at("d"))], .nameTaken(at("d"))),
        ([.link(InodeID(9), at: at("x"))], .unknownInode(InodeID(9))),
        ([.rename(from: at("x"), to: at("y"), .replace)], .nameMissing(at("x"))),
        ([.rename(from: at("f"), to: at("y", in: file), .replace)], .notADirectory(file)),
        ([.rename(from: at("f"), to: at("g"), .replace)], .renameToItself(at("g"))),
        ([.rename(from: at("f"), to: at("f"), .exchange)], .renameToItself(at("f"))),
        ([make(9, at: at("x")), .rename(from: at("x"), to: at("f"), .noReplace)], .nameTaken(at("f"))),
        ([.rename(from: at("f"), to: at("d"), .replace)], .fileOverDirectory(at("d"))),
        ([.rename(from: at("d"), to: at("f"), .replace)], .directoryOverFile(at("f"))),
        (
            [make(9, .directory, at: at("x")), .rename(from: at("x"), to: at("d"), .replace)],
            .directoryNotEmpty(at("d"))
        ),
        (
            [.rename(from: at("d"), to: at("x", in: directory), .replace)],
            .intoOwnSubtree(at("x", in: directory))
        ),
        ([.rename(from: at("d"), to: at("x", in: inner), .replace)], .intoOwnSubtree(at("x", in: inner))),
        (
            [.rename(from: at("d"), to: at("e", in: directory), .exchange)],
            .intoOwnSubtree(at("e", in: directory))
        ),
        ([.rename(from: at("e", in: directory), to: at("d"), .exchange)], .intoOwnSubtree(at("e", in: directory))),
        ([.rename(from: at("f"), to: at("x"), .exchange)], .nameMissing(at("x"))),
        (
            [.rename(from: at("e", in: directory), to: at("e"), .replace), .unlink(at("d")), .unlink(at("d"))],
            .nameMissing(at("d"))
        ),
        ([make(9, at: at("x", in: nameless))], .removedDirectory(nameless)),
        ([.rename(from: at("f"), to: at("x", in: nameless), .replace)], .removedDirectory(nameless)),
        ([.link(namelessFile, at: at("x"))], .linkToUnlinked(namelessFile)),
        (
            [.unlink(at("f")), .link(file, at: at("f")), .unlink(at("f")), .unlink(at("g")), .link(file, at: at("f"))],
            .linkToUnlinked(file)
        ),
        (
            [make(9, at: at("x")), .rename(from: at("f"), to: at("x"), .replace), .link(InodeID(9), at: at("y"))],
            .linkToUnlinked(InodeID(9))
        ),
        ([attribute(file, "user.b", nil)], .attributeMissing(file, name: "user.b")),
        (
            [
                attribute(file, "user.a", nil), attribute(file, "user.a", "v"), attribute(file, "user.a", nil),
                attribute(file, "user.a", nil),
            ],
            .attributeMissing(file, name: "user.a")
        ),
        ([attribute(link, "user.a", "v")], .userAttribute(link, name: "user.a")),
        (
            [make(9, .fifo, at: at("p")), attribute(InodeID(9), "user.a", "v")],
            .userAttribute(InodeID(9), name: "user.a")
        ),
    ]

    private static func attribute(_ inode: InodeID, _ name: ByteString, _ value: ByteString?) -> Change {
        .setExtendedAttribute(inode, name: name, value: value)
    }

    @Test(arguments: illegal.indices) func `what no filesystem does is refused`(row: Int) throws {
        let (changes, reason) = Self.illegal[row]
        let refusal = try #require(try Self.refusal(Self.base, Self.events(changes)))
        #expect(refusal.0 == changes.count && refusal.1 == reason, "\(refusal.1)")
        #expect(!"\(reason)".contains("IllegalEvent"))
    }

    private static let (first, second) = (OperationID(1), OperationID(2))
    private static let illegalEvents: [([TraceEvent], IllegalEvent)] = [
        (events([write(file)]) + events([write(file)]), .duplicateID(first)),
        (
            [.operation(Operation(id: OperationID(.max), write(file)))] + events([write(file)])
                + [.operation(Operation(id: OperationID(.max), write(file)))], .duplicateID(OperationID(.max))
        ),
        (events([write(file)]) + [.barrierBegan(first, .fsync(file), process: 1)], .duplicateID(first)),
        ([.barrierEnded(first, errno: 0)], .barrierNotBegun(first)),
        (
            [.barrierBegan(first, .flush, process: 1), .barrierEnded(first, errno: 5), .barrierEnded(first, errno: 0)],
            .barrierNotBegun(first)
        ),
        (events([write(file)]) + [.barrierEnded(first, errno: 0)], .barrierNotBegun(first)),
        ([.barrierBegan(first, .fsync(InodeID(9)), process: 1)], .unknownInode(InodeID(9))),
        ([.barrierBegan(second, .forceUnitAccess(first), process: 1)], .unknownWrite(first)),
        (events([write(file)]) + [.completed(first)], .notInFlight(first)),
        (
            [.operation(Operation(id: first, write(file), isComplete: false)), .completed(first), .completed(first)],
            .notInFlight(first)
        ),
        (
            events([make(9, at: at("x"))]) + [.barrierBegan(second, .forceUnitAccess(first), process: 1)],
            .unknownWrite(first)
        ),
        (
            [
                .barrierBegan(first, .fsync(file), process: 1), .barrierEnded(first, errno: 0),
                .barrierBegan(second, .forceUnitAccess(first), process: 1),
            ], .unknownWrite(first)
        ),
        // Nothing before it, another file, another thread, another place, something between, a page written back.
        ([piece(second, at: 1)], .unmatchedPiece(second)),
        (events([make(9, at: at("x"))]) + [piece(second, at: 1)], .unmatchedPiece(second)),
        ([piece(first, of: namelessFile, at: 0, .call), piece(second, at: 1)], .unmatchedPiece(second)),
        ([piece(first, at: 0, .call, by: 8), piece(second, at: 1)], .unmatchedPiece(second)),
        ([piece(first, at: 0, .call), piece(second, at: 2)], .unmatchedPiece(second)),
        (
            [piece(first, at: 0, .call), .fault(first, rule: "write -> EIO"), piece(second, at: 1)],
            .unmatchedPiece(second)
        ),
        ([piece(first, at: 0, .writeback), piece(second, at: 1)], .unmatchedPiece(second)),
    ]

    private static func piece(
        _ id: OperationID, of inode: InodeID = file, at offset: UInt64, _ origin: Model.Operation.Origin = .sameCall,
        by thread: Int32 = 7
    ) -> TraceEvent {
        let change = Change.write(inode, offsetBytes: offset, data: Payload(offsetBytes: 0, countBytes: 1))
        return .operation(Operation(id: id, change, process: thread, origin: origin))
    }

    @Test(arguments: illegalEvents.indices) func `ids and barriers follow each other as they can`(row: Int) throws {
        let (events, reason) = Self.illegalEvents[row]
        let refusal = try #require(try Self.refusal(Self.base, events))
        #expect(refusal.0 == events.count && refusal.1 == reason, "\(refusal.1)")
    }

    @Test func `what real traces hold is taken`() throws {
        let orphaned: [Change] = [
            .unlink(Self.at("f")), .unlink(Self.at("g")), Self.write(Self.file), .truncate(Self.file, sizeBytes: 1),
        ]
        let moves: [Change] = [
            .rename(from: Self.at("d"), to: Self.at("f"), .exchange),
            .rename(from: Self.at("f"), to: Self.at("h"), .noReplace),
            .rename(from: Self.at("e", in: Self.directory), to: Self.at("e"), .replace),
            .rename(from: Self.at("h"), to: Self.at("e"), .replace),
            .rename(from: Self.at("e"), to: Self.at("x"), .replace),
            Self.make(9, .directory, at: Self.at("e", in: Self.directory)),
            .rename(from: Self.at("d"), to: Self.at("e", in: InodeID(9)), .replace), .link(Self.file, at: Self.at("d")),
        ]
        for changes in [orphaned, moves] { #expect(try Self.refusal(Self.base, Self.events(changes)) == nil) }
        let events: [TraceEvent] = [
            // A fault of an operation that never came, ids that come late or never, ends that do not come.
            .fault(OperationID(40), rule: "write -> EIO"),
            .operation(Operation(id: OperationID(9), Self.write(Self.file))),
            .barrierBegan(OperationID(7), .fsync(Self.file), process: 1), .fault(OperationID(7), rule: "fsync -> EIO"),
            .operation(Operation(id: OperationID(1), Self.write(Self.file), isComplete: false)),
            .barrierEnded(OperationID(7), errno: 5),
            .barrierBegan(OperationID(8), .forceUnitAccess(OperationID(9)), process: 1), .completed(OperationID(1)),
            .barrierBegan(OperationID(1 << 60), .flush, process: 1),
        ]
        #expect(try Self.refusal(Self.base, events) == nil)
        let pieces = [
            Self.piece(Self.first, at: 4, .call), Self.piece(Self.second, at: 5), Self.piece(OperationID(3), at: 6),
            .barrierBegan(OperationID(4), .forceUnitAccess(Self.second), process: 1),
        ]
        #expect(try Self.refusal(Self.base, pieces) == nil)
        // A kernel gives labels and access control lists by itself; files without a name are written to.
        let attributes: [Change] = [
            Self.attribute(Self.file, "user.a", nil), Self.attribute(Self.link, "security.selinux", "v"),
            Self.attribute(Self.file, "system.posix_acl_access", nil), Self.write(Self.namelessFile),
            Self.attribute(Self.directory, "user.a", "v"), Self.attribute(Self.directory, "user.a", nil),
        ]
        #expect(try Self.refusal(Self.base, Self.events(attributes)) == nil)
        // Without a base there is an empty root.
        #expect(try Self.refusal([], Self.events([Self.make(2, at: Self.at("f"))])) == nil)
    }

    private static func content(_ offset: UInt64, _ count: UInt64) -> BaseRecord {
        .content(file, offsetBytes: offset, data: Payload(offsetBytes: 0, countBytes: count))
    }

    private static let illegalBases: [([BaseRecord], BaseTreeError)] = [
        ([content(8, 2)], .misplacedContent(file, offsetBytes: 8)),
        ([content(100, 1)], .misplacedContent(file, offsetBytes: 100)),
        ([content(.max, 2)], .misplacedContent(file, offsetBytes: .max)),
        ([content(0, 3), content(1, 3)], .misplacedContent(file, offsetBytes: 1)),
        ([content(4, 1), content(0, 1)], .misplacedContent(file, offsetBytes: 0)),
        (
            [.content(namelessFile, offsetBytes: 0, data: Payload(offsetBytes: 0, countBytes: 1))],
            .misplacedContent(namelessFile, offsetBytes: 0)
        ),
        ([.node(InodeID(9), .directory, attributes, sizeBytes: 1)], .sizeOfNonFile(InodeID(9))),
        ([.node(InodeID(9), .symbolicLink(target: "f"), attributes, sizeBytes: 1)], .sizeOfNonFile(InodeID(9))),
        ([.extendedAttribute(link, name: "user.a", value: "v")], .userAttribute(link, name: "user.a")),
    ]

    @Test(arguments: illegalBases.indices) func `a base tree that no filesystem holds is refused`(row: Int) throws {
        let (records, reason) = Self.illegalBases[row]
        #expect(throws: reason) { try Self.refusal(Self.base + records, []) }
        #expect(!"\(reason)".contains("BaseTreeError"))
        #expect(try Self.refusal(Self.base + [Self.content(0, 3), Self.content(3, 6)], []) == nil)
    }

    @Test func `every litmus script and random run is a legal trace`() throws {
        var scripts = try LitmusTests.names.map { name in
            let url = LitmusTests.folder.appending(path: name)
            return try LitmusScript(name: name, text: String(contentsOf: url, encoding: .utf8))
        }
        for seed in UInt64(1)...500 { scripts.append(try TraceGenerator.script(seed: seed)) }
        for script in scripts {
            let trace = try LitmusTrace(script)
            let refusal = try Self.refusal([], trace.events)
            #expect(refusal == nil, "\(script.name): \(String(describing: refusal))")
        }
    }
}
