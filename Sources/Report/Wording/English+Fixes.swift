import Exploration
import Model
import Replay
import Runs

extension English {
    package func words(for obstacle: CaseExplanation.Obstacle) -> String {
        switch obstacle {
        case .killedProcess: "No sync is missing: a killed process loses nothing that it has written."
        case .noCrash: "No sync is searched for: a live store shows this, without a crash."
        case .notDeterministic: "No sync is searched for: recovery does not show the same each time."
        case .blockDevice:
            "No sync is searched for: the trace is that of the filesystem's device. `explore` without --block tells it."
        case .writeAfterRecovery:
            "No sync is searched for: it shows after a write to the recovered store, of which the case has no trace."
        case .passes: "No sync is searched for: the target recovers this state now."
        }
    }

    package func words(for fix: BarrierFix) -> String {
        if let obstacle = fix.obstacle { return words(for: obstacle, triedCount: fix.triedCount) }
        let syncs = fix.barriers.map(words).joined(separator: ", and ")
        let isOne = fix.barriers.count == 1
        let inserted = "\(fix.insertedCount.counted("sync")) in this run"
        let checked = "\(fix.decidedCount.counted("state"))\(fix.isExhaustive ? "" : " that were checked")"
        let effect =
            fix.failingCount == 0
            ? "none of \(checked) fails"
            : "no state fails for this cause any more (\(fix.failingCount) of \(checked) for others)"
        return
            "Missing: \(syncs). With \(isOne ? "it" : "them") (\(inserted)), \(effect) under \(fix.profile.rawValue)."
    }

    /// The sync in words: `an fsync of the store's directory after each removal of the name db-journal`.
    package func words(for insertion: BarrierInsertion) -> String {
        let path = insertion.change.path.description
        let target =
            switch insertion.target {
            case .file: insertion.moment == .beforeRename ? "the file that becomes \(path)" : path
            case .directory:
                path.lastIndex(of: "/").map { "the directory \(path[..<$0])" } ?? "the store's directory"
            }
        let moment =
            switch insertion.moment {
            case .beforeAcknowledgement where insertion.target == .directory:
                "after each \(words(for: insertion.change.kind)) of \(path), before the acknowledgement"
            case .beforeAcknowledgement: "before each acknowledgement"
            case .beforeRename: "before it is renamed"
            case .beforeCreation: "before another file is created"
            case .afterChange:
                "after each \(words(for: insertion.change.kind)) of \(insertion.target == .file ? "it" : path)"
            }
        return "an fsync of \(target) \(moment)"
    }

    private func words(for kind: LossKind) -> String {
        switch kind {
        case .write: "write"
        case .zeros: "zeroing"
        case .size: "change of the size"
        case .name: "creation, link or rename"
        case .removal: "removal"
        case .attributes: "change of the mode or owner"
        case .extendedAttribute: "change of an attribute"
        }
    }

    private func words(for obstacle: BarrierFix.Obstacle, triedCount: Int) -> String {
        let none = "No additional sync removes these failures (\(triedCount) tried): "
        return switch obstacle {
        case .nothingLost: "No sync is missing: the store fails with nothing lost."
        case .tornWrite:
            none
                + "a write can tear while it is in flight. Recovery has to notice that, by a checksum, and do without the "
                + "write, or find the old bytes in a journal."
        case .notAtomic:
            none + "the crash comes between changes that recovery needs together. A journal, or one rename that "
                + "publishes them all, would."
        case .noTime: "The time was up before the missing sync was found."
        }
    }
}
