import Model

/// A sync that a store could make in addition: which file or directory, and at which moments of its run.
///
/// Names files by pattern, so that one insertion stands for every commit of a run.
package struct BarrierInsertion: Hashable, Codable, Sendable {
    /// What the sync is of.
    package enum Target: String, Codable, Sendable {
        /// The changed file.
        case file
        /// The directory that holds the changed name.
        case directory
    }

    /// When the sync is made.
    package enum Moment: String, CaseIterable, Codable, Sendable {
        /// Before each acknowledgement, of every file that was changed since the last one.
        case beforeAcknowledgement = "before-acknowledgement"
        /// Before the changed file is renamed.
        case beforeRename = "before-rename"
        /// Before another file is created: what a log does when it begins its next segment.
        case beforeCreation = "before-creation"
        /// Right after each of the changes.
        case afterChange = "after-change"
    }

    /// The changes that it makes durable.
    package var change: LossPattern
    package var target: Target
    package var moment: Moment

    package init(_ target: Target, of change: LossPattern, _ moment: Moment) {
        (self.change, self.target, self.moment) = (change, target, moment)
    }

    /// The insertions that could make changes like `change` durable.
    package static func candidates(for change: LossPattern) -> [BarrierInsertion] {
        switch change.kind {
        case .name, .removal:
            [.afterChange, .beforeAcknowledgement].map { BarrierInsertion(.directory, of: change, $0) }
        case .write, .zeros, .size, .attributes, .extendedAttribute:
            Moment.allCases.map { BarrierInsertion(.file, of: change, $0) }
        }
    }
}
