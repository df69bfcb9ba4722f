import Bytes
import FaultFS
import Glibc
import Model
import Platform
import Storage
import Testing

/// A mount of crash states shows each as it is, and notes what is read of it before it is changed.
@Suite(.enabled(if: Bench.canMount), .serialized) struct StateMountTests {
    private static let arena = PayloadArena()

    /// `a` of 5000 bytes, `b` of 100, a directory with a file, and a link.
    private static func tree(_ byte: UInt8 = 7) -> Tree {
        var tree = Tree()
        func add(_ number: UInt64, _ kind: NodeKind, _ name: ByteString, in parent: InodeID = .root, bytes: Int = 0) {
            var node = Node(kind: kind, attributes: Attributes(mode: 0o644))
            if bytes > 0 { node.content.write(arena.store([UInt8](repeating: byte, count: bytes)), at: 0) }
            node.sizeBytes = UInt64(bytes)
            tree.nodes[InodeID(number)] = node
            tree.nodes[parent]?.entries[name] = InodeID(number)
        }
        add(2, .regular, "a", bytes: 5000)
        add(3, .regular, "b", bytes: 100)
        add(4, .directory, "d")
        add(5, .regular, "inner", in: InodeID(4), bytes: 10)
        add(6, .symbolicLink(target: "a"), "link")
        return tree
    }

    private static let reads: [(script: String, reads: Set<Read>, output: String)] = [
        ("test -e $D/absent || echo no", [.name("absent")], "no\n"),
        ("unlink $D/b", [.name("b")], ""),
        ("stat -c %s $D/b", [.name("b"), .attributes("b"), .size("b")], "100\n"),
        ("set -- $D/*; echo $#", [.listing(""), .attributes("")], "4\n"),
        ("readlink $D/link", [.name("link")], "a\n"),
        (
            "getfattr -n user.k $D/b 2> /dev/null",
            [.name("b"), .attributes("b"), .size("b"), .extendedAttributes("b")], ""
        ),
        (
            "cat $D/b | wc -c", [.name("b"), .size("b"), .attributes("b"), .data("b", 0..<512)], "100\n"
        ),
        (
            "cat $D/d/inner | wc -c",
            [
                .name("d"), .name("d/inner"), .size("d/inner"), .attributes("d/inner"), .data("d/inner", 0..<512),
            ], "10\n"
        ),
        // Nothing is read ahead.
        (
            "perl -e 'open F, \"<\", \"$ENV{D}/a\"; sysseek F, 1024, 0; sysread F, $x, 512; print length $x'",
            [.name("a"), .size("a"), .attributes("a"), .data("a", 1024..<1536)], "512"
        ),
        // What is overwritten whole is not read afterwards; what is overwritten in part is.
        (
            "perl -e 'open F, \"+<\", \"$ENV{D}/a\"; syswrite F, \"x\" x 512; sysseek F, 0, 0; sysread F, $x, 512'",
            [.name("a"), .size("a"), .attributes("a")], ""
        ),
        (
            "perl -e 'open F, \"+<\", \"$ENV{D}/a\"; syswrite F, \"x\" x 500; sysseek F, 0, 0; sysread F, $x, 512'",
            [.name("a"), .size("a"), .attributes("a"), .data("a", 0..<512)], ""
        ),
        // A file keeps the name that it had in the state, whatever the recovery renames.
        (
            "mv -T $D/b $D/c; perl -e 'open F, \"<\", \"$ENV{D}/c\"; sysread F, $x, 512; print $x eq \"\\x07\" x 100'",
            [.name("b"), .name("c"), .size("b"), .attributes("b"), .data("b", 0..<512)], "1"
        ),
        // What the recovery has made is not part of the state.
        ("echo x > $D/new; cat $D/new", [.name("new")], "x\n"),
        ("mkdir $D/e; ls $D/e; rmdir $D/e", [.name("e")], ""),
        // Whether a directory can be removed depends on what is in it.
        ("rmdir $D/d 2> /dev/null || echo no", [.name("d"), .listing("d")], "no\n"),
    ]

    @Test(arguments: reads)
    func `what a recovery reads is noted, and nothing else`(script: String, reads: Set<Read>, output: String) throws {
        let mounted = try Mounted()
        let shown = try mounted.run(Self.tree(), Self.arena, script)
        #expect(shown.output == output)
        #expect(Set(shown.reads) == reads)
    }

    /// A mapping reads pages, and only those that it touches.
    @Test func `a page of a mapping is noted`() throws {
        let mounted = try Mounted()
        let script = """
            python3 -c 'import mmap, os; f = os.open(os.environ["D"] + "/a", os.O_RDWR); m = mmap.mmap(f, 5000); \
            print(m[4500]); m[4600] = 9; m.flush(); print(os.pread(f, 1, 4600)[0])'
            """
        let shown = try mounted.run(Self.tree(), Self.arena, script)
        #expect(shown.output == "7\n9\n")
        #expect(shown.reads.filter { if case .data = $0 { true } else { false } } == [.data("a", 4096..<5120)])
    }

    /// A process that lives on and a kernel with caches are asked about states with the same names.
    @Test func `no state answers for another`() throws {
        let mounted = try Mounted()
        for byte in 1...20 as ClosedRange<UInt8> {
            let tree = byte % 2 == 0 ? Self.tree(byte) : Tree()
            let shown = try mounted.run(tree, Self.arena, "cat $D/b 2> /dev/null | od -An -tu1 -N1")
            #expect(shown.output.filter { $0 != " " } == (byte % 2 == 0 ? "\(byte)\n" : ""))
            #expect(shown.reads.contains(.name("b")))
            #expect(shown.reads.contains(.data("b", 0..<512)) == (byte % 2 == 0))
        }
    }

    /// Names, renames, links, truncation and holes work as in any directory.
    @Test func `a state can be changed`() throws {
        let mounted = try Mounted()
        let script = """
            cd $D; ln a hard; truncate -s 3 a; wc -c < hard; mv -n a b; mv a d/; ls d; rm -r d; ls; cat link 2> /dev/null || echo dangling
            fallocate -l 4096 b; fallocate -p -o 0 -l 50 b; od -An -tu1 -j49 -N2 b; echo end >> b; tail -c 4 b; ln -s x y; mkfifo p; ls
            """
        let shown = try mounted.run(Self.tree(), Self.arena, script)
        #expect(
            shown.output == """
                3
                a
                inner
                b
                hard
                link
                dangling
                   0   7
                end
                b
                hard
                link
                p
                y

                """)
    }

    private final class Mounted {
        private let directory: String
        private let mount: StateMount

        init() throws {
            var template = Array("/tmp/faultfs-test-XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil else { throw Errno.current }
            directory = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
            mount = try StateMount(ByteString(directory))
        }

        func run(_ tree: Tree, _ arena: PayloadArena, _ script: String) throws -> (output: String, reads: [Read]) {
            let served = try mount.serve(tree, arena, sharing: FileImages()) { directory in
                Shell.run("D=\(directory); export D; \(script)").output
            }
            return (served.result, served.reads)
        }

        deinit {
            try? mount.unmount()
            rmdir(directory)
        }
    }
}
