import Bytes
import Glibc
import Model
import Storage
import Synchronization

/// Directories for crash states. The directory of a large state is kept and turned into the next state (`ReusedTree`):
/// creating and removing tens of thousands of files for each state takes longer than recovering it.
///
/// Thread safe. Kept directories are removed in `deinit`.
final class StateDirectories: Sendable {
    /// Smaller trees are created about as fast as they are compared.
    private static let leastNodes = 1000

    static func isLarge(_ tree: Tree) -> Bool { tree.nodes.count >= leastNodes }

    /// After this many consecutive directories that could not be reused, none is kept any more.
    private static let failuresAtMost = 8

    private let materialiser: TreeMaterialiser
    private let scratch: ByteString
    private let keeps: Bool
    private let kept = Mutex<(idle: [Kept], failures: Int)>(([], 0))

    /// Used by the thread that takes it out of the list.
    private struct Kept: @unchecked Sendable {
        var tree: ReusedTree
    }

    init(payloads: any PayloadStore, scratch: ByteString, keeps: Bool) {
        self.keeps = keeps
        materialiser = TreeMaterialiser(payloads: payloads)
        self.scratch = scratch
    }

    deinit {
        for kept in kept.withLock({ $0.idle }) { try? TreeRemoval.remove(kept.tree.path) }
    }

    /// Calls `body` with a directory that holds exactly `tree`, at a new path.
    ///
    /// - Parameters:
    ///   - mayBeReused: whether the directory may be shared with other states, before and after.
    ///   - body: its parameter is true if the directory is to be kept; it sets it to false if a process may still have
    ///     something in the directory open.
    func with<Result>(
        _ tree: Tree, number: Int, mayBeReused: Bool, _ body: (ByteString, inout Bool) throws -> Result
    ) throws -> Result {
        let path = scratch.appending(component: ByteString("state-\(number)"))
        guard keeps, mayBeReused, Self.isLarge(tree), kept.withLock({ $0.failures < Self.failuresAtMost }) else {
            defer { try? TreeRemoval.remove(path) }
            try make(tree, at: path)
            var isReleased = false
            return try body(path, &isReleased)
        }
        let reused = try reuse(for: tree, at: path) ?? makeReusable(tree, at: path)
        var isReleased = reused != nil
        defer { end(isReleased ? reused : nil, path) }
        do { return try body(path, &isReleased) } catch {
            isReleased = false
            throw error
        }
    }

    private func make(_ tree: Tree, at path: ByteString) throws {
        guard path.withCString({ mkdir($0, 0o700) }) == 0 else {
            throw TreeError.system(call: "mkdir", path: path, errno: errno)
        }
        try materialiser.materialise(tree, into: path)
    }

    /// Turns a kept directory into this tree; nil if there is none or that failed.
    private func reuse(for tree: Tree, at path: ByteString) throws -> ReusedTree? {
        guard let reused = kept.withLock({ $0.idle.popLast() })?.tree else { return nil }
        do {
            try reused.become(tree, at: path)
            kept.withLock { $0.failures = 0 }
            return reused
        } catch {
            // A fresh directory follows, which reports what is wrong with the tree, if anything.
            noteFailure()
            try TreeRemoval.remove(reused.path)
            return nil
        }
    }

    /// Nil if the directory cannot be reused.
    private func makeReusable(_ tree: Tree, at path: ByteString) throws -> ReusedTree? {
        do { try make(tree, at: path) } catch {
            try? TreeRemoval.remove(path)
            throw error
        }
        return try? ReusedTree(tree, at: path, materialiser)
    }

    private func noteFailure() { kept.withLock { $0.failures += 1 } }

    private func end(_ reused: ReusedTree?, _ path: ByteString) {
        guard let reused else {
            noteFailure()
            try? TreeRemoval.remove(path)
            return
        }
        let item = Kept(tree: reused)
        kept.withLock { $0.idle.append(item) }
    }
}
