import Block
import Exploration

extension RunResult {
    /// The faults of the device below a real filesystem, and what came of them.
    package struct Device: Codable, Sendable, Equatable {
        /// The first fault that may have made the filesystem lose something.
        package var fault: DeviceFault?
        /// How the filesystem reacted; nil for a run without rules in which nothing went wrong.
        package var reaction: FilesystemReaction?
        /// The same workload without the rules; nil if the store lost nothing after the fault.
        package var withoutFault: Control?

        package init() {}

        package var isEmpty: Bool { fault == nil && reaction == nil && withoutFault == nil }

        /// An exploration of the same workload without any fault: what fails there, too, is the store's.
        package struct Control: Codable, Sendable, Equatable {
            /// States that were judged.
            package var decided: Int
            /// Violations that it found.
            package var findings: Int
            package var explored: Explored?
            /// Why it was not made, or ended early; nil if it was made whole.
            package var obstacle: String?

            package init(decided: Int = 0, findings: Int = 0, explored: Explored? = nil, obstacle: String? = nil) {
                (self.decided, self.findings) = (decided, findings)
                (self.explored, self.obstacle) = (explored, obstacle)
            }
        }
    }
}
