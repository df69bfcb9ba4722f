import Bytes
import Targets

/// A pattern of files that the target's manifest ignores, and how many it matched in the recordings of a run.
package struct IgnoredPattern: Codable, Hashable, Sendable {
    package var pattern: String
    package var files: Int

    /// The patterns of a target; nil if it has none, or if nothing was recorded since the last call.
    package static func all(of target: ConfiguredTarget) -> [IgnoredPattern]? {
        guard !target.target.ignored.isEmpty, let paths = target.ignoredFiles.takeAll() else { return nil }
        return target.target.ignored.map { pattern in
            IgnoredPattern(pattern: pattern.description, files: paths.count { pattern.matches($0) })
        }
    }
}
