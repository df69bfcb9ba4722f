import Bytes
import Foundation
import Litmus
import Model
import Testing

/// The pending set against the definition: on thousands of tiny random traces, under every profile, both allow the same
/// trees. `FAULTLINE_SEEDS=100000` tries more; a failure prints a seed and the smallest script that still fails.
struct NaiveTests {
    static let seeds = UInt64(ProcessInfo.processInfo.environment["FAULTLINE_SEEDS"] ?? "") ?? 2400

    @Test(arguments: 0..<8) func `the pending set and the naive model allow the same trees`(_ part: UInt64) throws {
        var compared = 0
        for seed in stride(from: part, to: NaiveTests.seeds, by: 8) {
            let script = try TraceGenerator.script(seed: seed)
            for profile in Profile.allCases {
                switch try disagreement(script, profile) {
                case nil: continue
                case "": compared += 1
                case .some:
                    let small = try shrunk(script, profile)
                    Issue.record(
                        """
                        seed \(seed), profile \(profile.rawValue): \(try disagreement(small, profile) ?? "")
                        \(small.text(outcomes: []))
                        """)
                    return
                }
            }
        }
        #expect(compared > Int(NaiveTests.seeds), "most traces are small enough to try every subset")
    }

    /// Empty when both agree, nil when there are too many sets to try, otherwise the difference in words.
    private func disagreement(_ script: LitmusScript, _ profile: Profile) throws -> String? {
        let trace = try LitmusTrace(script)
        guard let expected = NaiveModel(trace, profile.rules, unitBytes: script.unitBytes).outcomes() else {
            return nil
        }
        let set = trace.pendingSet(profile, unitBytes: script.unitBytes)
        var seen: Set<String> = []
        set.forEachSurvivors { survivors in
            seen.insert(trace.cells(set.tree(survivors)))
            return true
        }
        let (missing, extra) = (expected.subtracting(seen), seen.subtracting(expected))
        if missing.isEmpty, extra.isEmpty { return "" }
        return "only the definition: \(missing.sorted().prefix(3)), only the pending set: \(extra.sorted().prefix(3))"
    }

    /// The same script without the lines that the disagreement does not need.
    private func shrunk(_ script: LitmusScript, _ profile: Profile) throws -> LitmusScript {
        var best = script
        var index = best.run.count - 1
        while index >= 0 {
            var fewer = best
            fewer.run.remove(at: index)
            if let text = try? disagreement(fewer, profile), text != "" { best = fewer }
            index -= 1
        }
        return best
    }
}

extension LitmusTrace {
    /// The letters of a payload, one for each 512 bytes.
    func letters(of data: Payload) -> [UInt8] {
        let bytes = (try? arena.bytes(of: data)) ?? []
        return stride(from: 0, to: bytes.count, by: 512).map { bytes[$0] }
    }

    /// A tree as the naive state prints it.
    func cells(_ tree: Tree) -> String {
        var lines: [String] = []
        for name in tree.reachable() where name.inode != .root {
            let (path, inode) = (name.path, name.inode)
            let node = tree.nodes[inode]!
            var line = path.description + ":" + String(node.attributes.mode, radix: 8)
            for (key, value) in node.extendedAttributes.sorted(by: { $0.key < $1.key }) { line += "@\(key)=\(value)" }
            if node.kind == .directory {
                lines.append(line + "/")
            } else {
                let letters = (0..<node.sizeBytes / 512).map { cell -> UInt8 in
                    guard let extent = node.content.slice(cell * 512..<cell * 512 + 512).first else {
                        return UInt8(ascii: "0")
                    }
                    return self.letters(of: extent.data)[0]
                }
                lines.append(line + "(" + String(decoding: letters, as: UTF8.self) + ")")
            }
        }
        return lines.sorted().joined(separator: " ")
    }
}
