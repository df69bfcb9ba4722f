import Bytes
import Model

/// When the power goes: during a step of the run, or after it. As a step begins and as it ends the executor says so: the
/// first line is that of the first step's beginning.
package struct LitmusMoment: Hashable, Sendable {
    /// From 0.
    package var step: Int
    package var isOver: Bool

    /// - Parameter lineCount: how many of the executor's lines had come; nil before the first.
    package init?(lineCount: Int) {
        guard lineCount > 0 else { return nil }
        (step, isOver) = ((lineCount - 1) / 2, lineCount % 2 == 0)
    }
}

extension LitmusTrace {
    /// The pending set at the crash.
    package func pendingSet(_ profile: Profile, unitBytes: UInt64) -> PendingSet {
        var set = PendingSet(profile: profile, unitBytes: unitBytes)
        for event in events { set.add(event) }
        return set
    }

    /// Every tree that `profile` allows, as lines, sorted, each once. `rules`: others than the profile's own.
    ///
    /// - Parameter moment: when the power goes; nil after the last step.
    package func outcomes(
        _ profile: Profile, rules: ProfileRules? = nil, unitBytes: UInt64, at moment: LitmusMoment? = nil
    ) throws -> [String] {
        var set = PendingSet(
            profile: profile, rules: rules ?? profile.rules, base: Tree(), unitBytes: unitBytes)
        for event in events[..<(moment.map(end) ?? events.count)] { set.add(event) }
        var lines: Set<String> = []
        set.forEachSurvivors { survivors in
            lines.insert(describe(set.tree(survivors)))
            return true
        }
        return lines.sorted()
    }

    /// The number of events that have begun at a moment. A barrier has returned when its step is over.
    private func end(_ moment: LitmusMoment) -> Int {
        let range = eventsOfSteps[moment.step]
        guard !moment.isOver, let last = range.last, case .barrierEnded = events[last] else { return range.upperBound }
        return last
    }

    /// A tree as one line: `f(A*4096 0*512)` a file, `d/` a directory, `s->t` a link; `{}` when nothing is there.
    /// Modes and attributes are printed when they are not the usual ones.
    package func describe(_ tree: Tree) -> String {
        var words: [String] = []
        for name in tree.reachable() where name.inode != .root {
            let (path, inode) = (name.path, name.inode)
            let node = tree.nodes[inode]!
            var word = path.description
            switch node.kind {
            case .directory: word += "/"
            case .symbolicLink(let target): word += "->\(target)"
            default: word += "(" + contents(node) + ")"
            }
            let usual: UInt32 = node.kind == .directory ? 0o755 : 0o644
            if node.attributes.mode != usual { word += ":" + String(node.attributes.mode, radix: 8) }
            for (name, value) in node.extendedAttributes.sorted(by: { $0.key < $1.key }) { word += "@\(name)=\(value)" }
            words.append(word)
        }
        return words.isEmpty ? "{}" : words.joined(separator: " ")
    }

    private func contents(_ node: Node) -> String {
        var bytes = [UInt8](repeating: UInt8(ascii: "0"), count: Int(node.sizeBytes))
        for extent in node.content.slice(0..<node.sizeBytes) {
            let data = (try? arena.bytes(of: extent.data)) ?? []
            bytes.replaceSubrange(Int(extent.offsetBytes)..<Int(extent.endBytes), with: data)
        }
        return LitmusTrace.runs(of: bytes)
    }

    /// Bytes as runs of letters: `A*4096 0*512`; a zero byte prints as 0.
    package static func runs(of bytes: [UInt8]) -> String {
        var runs: [(byte: UInt8, count: Int)] = []
        for byte in bytes {
            let letter = byte == 0 ? UInt8(ascii: "0") : byte
            if runs.last?.byte == letter { runs[runs.count - 1].count += 1 } else { runs.append((letter, 1)) }
        }
        return runs.map { "\(Character(Unicode.Scalar($0.byte)))*\($0.count)" }.joined(separator: " ")
    }
}
