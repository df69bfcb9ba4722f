import Model

/// What recoveries read, and what they showed, as a tree: a node is a place that they read next, its edges are the values
/// that they saw there, and a leaf is the evidence. A state whose path through the tree ends at a leaf shows that evidence,
/// because a recovery depends on nothing but what it reads.
///
/// Concurrent lookups are safe while no thread inserts.
final class DecisionTree: @unchecked Sendable {
    let reads = ReadTable()
    private struct Node {
        /// The number of the next read, or −1 − the number of the evidence.
        var content: Int32
        var parent: Int32
    }

    private var nodes: [Node] = []
    /// From a node and a value to the next node.
    private var edges: StateIndex
    /// The leaves of states, by hash.
    private var leaves: StateIndex
    /// Beyond this many nodes the tree is emptied: it only saves work.
    private static let nodesAtMost = 6_000_000

    init() throws(RecordingError) { (edges, leaves) = (try StateIndex(), try StateIndex()) }

    /// The leaf of a state that was found or inserted before.
    func leaf(of hash: StateHash) -> Int32? { leaves[hash] }

    func evidence(at leaf: Int32) -> Int { Int(-1 - nodes[Int(leaf)].content) }

    /// What a recovery that ends at this leaf reads, in order.
    func path(to leaf: Int32) -> [Int32] {
        var path: [Int32] = []
        var node = nodes[Int(leaf)].parent
        while node >= 0 {
            path.append(nodes[Int(node)].content)
            node = nodes[Int(node)].parent
        }
        return path.reversed()
    }

    /// The leaf of a tree; nil if a recovery has to show it.
    func find(_ tree: Tree) -> Int32? {
        guard !nodes.isEmpty else { return nil }
        var node: Int32 = 0
        while nodes[Int(node)].content >= 0 {
            let value = tree.value(of: reads[nodes[Int(node)].content])
            guard let next = edges[Self.edge(node, value)] else { return nil }
            node = next
        }
        return node
    }

    /// Notes that a state has the leaf.
    func record(_ hash: StateHash, at leaf: Int32) throws(RecordingError) { try leaves.set(hash, leaf) }

    /// Adds what a recovery read, with the values that it saw, and its evidence. Returns the leaf; nil if an earlier recovery
    /// saw the same, and then went on differently: what it does depends on something else.
    func insert(_ seen: [(read: Int32, value: StateHash)], evidence: Int) throws(RecordingError) -> Int32? {
        if nodes.count > Self.nodesAtMost { try removeAll() }
        var node: Int32? = nodes.isEmpty ? nil : 0
        var (parent, edge) = (Int32(-1), StateHash(high: 0, low: 0))
        for place in 0...seen.count {
            let content = place < seen.count ? seen[place].read : Int32(-1 - evidence)
            if let node {
                guard nodes[Int(node)].content == content else { return nil }
            } else {
                if parent >= 0 { try edges.set(edge, Int32(nodes.count)) }
                node = Int32(nodes.count)
                nodes.append(Node(content: content, parent: parent))
            }
            guard place < seen.count else { break }
            edge = Self.edge(node!, seen[place].value)
            (parent, node) = (node!, edges[edge])
        }
        return node
    }

    private func removeAll() throws(RecordingError) {
        nodes = []
        (edges, leaves) = (try StateIndex(), try StateIndex())
    }

    private static func edge(_ node: Int32, _ value: StateHash) -> StateHash {
        .mixed(StateHash(high: UInt64(node), low: 0x5EED), value)
    }
}
