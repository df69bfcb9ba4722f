import Bytes
import Model

/// A litmus script: a few operations, a crash, and the complete set of trees that each profile allows.
///
/// Lines, by section; `#` begins a comment:
///
///     base                          what is durable before the run (optional)
///       create f A*4096             … the same operations
///     run
///       write f 0 B*512             offset, then runs of letters
///       write-fua f 0 B*512         the same with FUA: durable when it returns
///       begin s fsync f             a barrier or an operation in flight; `end s` completes it
///       commit                      the filesystem commits its metadata by itself, which no call asked for
///       write-back f                the kernel writes the data of f back by itself
///     expect strict ext4-journal    outcomes of these profiles, one tree a line
///       f(A*4096)
///
/// Units are 4 KiB unless a line `unit 512` says otherwise, so that sets stay readable. A line `profiles block` names the
/// profiles to ask instead of those of filesystems.
package struct LitmusScript: Sendable {
    package struct Step: Sendable {
        package var line: Int
        package var words: [String]
    }

    package var name: String
    /// The comment at the top, which every regenerated script keeps.
    package var header: [String] = []
    package var unitBytes: UInt64 = 4096
    /// The profiles whose outcomes the script holds.
    package var profiles: [Profile] = Profile.filesystems
    package var base: [Step] = []
    package var run: [Step] = []
    package var expected: [(profiles: [String], outcomes: [String])] = []

    package init(name: String, text: String) throws {
        self.name = name
        var section = ""
        for (index, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if section.isEmpty, raw.hasPrefix("#") { header.append(String(raw)) }
            let words = raw.prefix { $0 != "#" }.split(separator: " ").map(String.init)
            guard let first = words.first else { continue }
            switch (raw.first == " ", first) {
            case (false, "unit"): unitBytes = words.count > 1 ? UInt64(words[1]) ?? 0 : 0
            case (false, "profiles"): profiles = words.dropFirst().compactMap(Profile.init(rawValue:))
            case (false, "expect"):
                section = "expect"
                expected.append((Array(words.dropFirst()), []))
            case (false, "base"), (false, "run"): section = first
            case (true, _) where section == "base": base.append(Step(line: index + 1, words: words))
            case (true, _) where section == "run": run.append(Step(line: index + 1, words: words))
            case (true, _) where section == "expect":
                expected[expected.count - 1].outcomes.append(words.joined(separator: " "))
            default: throw LitmusError("\(name):\(index + 1): expected base, run or expect, or an indented line of one")
            }
        }
    }

    /// The script as it would be written with these outcomes; profiles with equal sets share a section.
    package func text(outcomes: [(Profile, [String])]) -> String {
        var groups: [(profiles: [Profile], outcomes: [String])] = []
        for (profile, set) in outcomes {
            if let index = groups.firstIndex(where: { $0.outcomes == set }) {
                groups[index].profiles.append(profile)
            } else {
                groups.append(([profile], set))
            }
        }
        var lines = header
        if unitBytes != 4096 { lines.append("unit \(unitBytes)") }
        if profiles != Profile.filesystems {
            lines.append("profiles " + profiles.map(\.rawValue).joined(separator: " "))
        }
        for (title, steps) in [("base", base), ("run", run)] where !steps.isEmpty {
            lines.append(title)
            lines += steps.map { "  " + $0.words.joined(separator: " ") }
        }
        for group in groups {
            lines.append("expect " + group.profiles.map(\.rawValue).joined(separator: " "))
            lines += group.outcomes.map { "  " + $0 }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

package struct LitmusError: Error, CustomStringConvertible {
    package var description: String
    package init(_ description: String) { self.description = description }
}
