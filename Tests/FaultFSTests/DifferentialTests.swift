import Glibc
import Model
import Testing

/// The same calls on the mount and on a plain directory give the same results and the same final tree.
@Suite(.enabled(if: Bench.canMount), .serialized) struct DifferentialTests {
    @Test(.timeLimit(.minutes(5)), arguments: 1...40)
    func `the mount answers like a plain directory`(seed: UInt64) throws {
        var random = RandomSteps(seed: seed)
        let steps = random.steps(400)
        let root = Bench.root(seed)
        guard let difference = try Self.difference(steps, in: root) else { return }
        let shrunk = try Self.shrink(steps, in: root)
        let story = shrunk.map { "    \($0)" }.joined(separator: "\n")
        Issue.record(
            "seed \(seed): \(difference)\nshrunk to \(try Self.difference(shrunk, in: root) ?? "nothing"):\n\(story)")
    }

    /// Runs the steps on both. Returns the first difference, or nil.
    private static func difference(_ steps: [Step], in root: String) throws -> String? {
        let bench = try Bench(in: root)
        _ = Shell.run("mkdir '\(bench.directory)/plain'")
        let plain = StepRunner(root: bench.directory + "/plain")
        let mounted = StepRunner(root: bench.mountPoint)
        for (index, step) in steps.enumerated() {
            let (expected, found) = (plain.run(step), mounted.run(step))
            if expected != found { return "step \(index) \(step): plain \(expected), mounted \(found)" }
        }
        plain.closeAll()
        mounted.closeAll()
        let expected = Snapshot.of(bench.directory + "/plain")
        for (place, path) in [("mount", bench.mountPoint), ("backing directory", bench.backing)] {
            if place == "backing directory" { try bench.mount.unmount() }
            let found = Snapshot.of(path)
            if found != expected {
                let (missing, extra) = (
                    expected.filter { !found.contains($0) }, found.filter { !expected.contains($0) }
                )
                return "in the end, the \(place) lacks \(missing), has instead \(extra)"
            }
        }
        return nil
    }

    /// Removes steps, in ever smaller runs, while a difference remains.
    private static func shrink(_ steps: [Step], in root: String) throws -> [Step] {
        var steps = steps
        var width = steps.count / 2
        while width > 0 {
            var start = 0
            while start < steps.count {
                var fewer = steps
                fewer.removeSubrange(start..<min(start + width, steps.count))
                if try difference(fewer, in: root) != nil { steps = fewer } else { start += width }
            }
            width /= 2
        }
        return steps
    }
}
