import Bytes
import Exploration
import Foundation
import Model
import Oracle
import Targets
import Testing

/// Crash states of a store of many files, whose directory goes from one state to the next.
struct StateDirectoryTests {
    private let arena = PayloadArena()

    /// A recovery shows a digest of all that it finds, and keeps it for the next one; then it does what stays behind if nobody
    /// puts it right.
    private static let script = """
        look() {
            cd "$1" && if [ ! -e shown ]; then
                found=$({
                    find . ! -type d -printf '%p %y %m %s %l\\n'; find . -type d -printf '%p %m\\n'
                    find . -type f -exec cksum {} +
                } | LC_ALL=C sort | cksum)
                echo "$found" >shown
                n=$(($(wc -l <../looks 2>/dev/null || echo 0) % 7)); echo >>../looks
                echo more >>many/f$n; : >many/f1$n; rm -f many/f2$n; mv many/f3$n many/f4$n; chmod 600 many/f5$n
                ln many/f6$n many/second; echo through >many/second; rm many/second
                mkdir -p new/inner; echo x >new/inner/x; mv few moved; ln -s / many/root
            fi
            shown=$(base64 -w0 <shown)
            cd / # Before the end line: a directory that a process still stands in is not kept.
            echo "{\\"key\\":\\"aw==\\",\\"payload\\":\\"$shown\\"}"; echo '{"end":true}'
        }
        """

    private func target(_ end: String, isPersistent: Bool = true) throws -> ConfiguredTarget {
        var target = Target(
            name: "many", description: "", source: "", contract: .durable, workload: [],
            recover: ["sh", "-c", ByteString("\(Self.script)\n\(end)")])
        target.isPersistent = isPersistent
        return try target.configured()
    }

    private func file(_ text: String) -> Node {
        var node = Node(kind: .regular, attributes: Attributes(mode: 0o644))
        node.content.write(arena.store(Array(text.utf8)), at: 0)
        node.sizeBytes = UInt64(text.utf8.count)
        return node
    }

    /// A thousand files and more, and two that differ from state to state.
    private func states(_ count: Int) -> [Tree] {
        var tree = Tree()
        var last: UInt64 = 1
        func add(_ name: ByteString, _ node: Node, in directory: InodeID) -> InodeID {
            last += 1
            tree.nodes[InodeID(last)] = node
            tree.nodes[directory]!.entries[name] = InodeID(last)
            return InodeID(last)
        }
        let directory = Node(kind: .directory, attributes: Attributes(mode: 0o755))
        let (many, few) = (add("many", directory, in: .root), add("few", directory, in: .root))
        for number in 0..<1100 { _ = add(ByteString("f\(number)"), file("file \(number)"), in: many) }
        for number in 0..<5 { _ = add(ByteString("g\(number)"), file("file \(number)"), in: few) }
        let log = add("log", file("log"), in: .root)
        return (0..<count).map { number in
            tree.nodes[log] = file("log \(number / 2)")
            tree.nodes[many]!.entries["f7"] = number % 3 == 0 ? nil : log
            return tree
        }
    }

    private func evidence(
        of states: [Tree], _ target: ConfiguredTarget, in scratch: ByteString, keeping: Bool
    ) throws -> (evidence: [Evidence], keptCount: Int) {
        let client = RecoverClient(target)
        defer { try? client.close() }
        let recovery = ProcessRecovery(
            payloads: arena, client: client, scratch: scratch, keepsDirectories: keeping)
        let evidence = try states.map { try recovery.recover($0, inFreshProcess: false).evidence }
        let left = try FileManager.default.contentsOfDirectory(atPath: "\(scratch)")
        return (evidence, left.filter { $0.hasPrefix("state-") }.count)
    }

    @Test(arguments: [true, false])
    func `a state shows the same in the directory of the one before it`(isPersistent: Bool) throws {
        let scratch = Scratch()
        let target = try target(
            isPersistent ? "while read -r directory; do look \"$directory\"; done" : "look \"$FAULTLINE_DIR\"",
            isPersistent: isPersistent)
        let states = states(24)
        let kept = try evidence(of: states, target, in: scratch.make("kept"), keeping: true)
        let fresh = try evidence(of: states, target, in: scratch.make("fresh"), keeping: false)
        #expect(kept.evidence == fresh.evidence)
        #expect(kept.evidence.allSatisfy { if case .opened = $0.recovery { true } else { false } })
        let visibleCount = Set(try states.map { try $0.hash(payloads: arena) }).count
        #expect(Set(kept.evidence.map { "\($0)" }).count == visibleCount)
        #expect(kept.keptCount == 1 && fresh.keptCount == 0)
        for name in ["kept", "fresh"] {
            let left = try FileManager.default.contentsOfDirectory(atPath: scratch.url.appending(path: name).path)
            #expect(left.filter { $0 != "looks" } == [], "what was kept is removed in the end")
        }
    }

    /// It might change the next state.
    @Test(arguments: ["exec 3<\"$directory/log\"", "cd \"$directory\""])
    func `no directory is kept that a living process has open`(_ hold: String) throws {
        let scratch = Scratch()
        let target = try target("while read -r directory; do \(hold); (look \"$directory\"); done")
        let states = states(4)
        let kept = try evidence(of: states, target, in: scratch.make("kept"), keeping: true)
        let fresh = try evidence(of: states, target, in: scratch.make("fresh"), keeping: false)
        #expect(kept.evidence == fresh.evidence)
        #expect(kept.keptCount == 0)
    }
}
