import Exploration
import Model

/// Explains why the losses of a crash are possible: what makes such a change durable, and why it was not.
struct LossReasons {
    private let recording: Recording
    private let state: CrashState
    private let losses: [Loss]
    private let endings: [OperationID: (point: Int, errno: Int32)]

    private static let sentencesAtMost = 4

    init(
        _ recording: Recording, _ state: CrashState, _ losses: [Loss],
        endings: [OperationID: (point: Int, errno: Int32)]
    ) {
        self.recording = recording
        self.state = state
        self.losses = losses
        self.endings = endings
    }

    func sentences() -> [String] {
        let piece = recording.writePieceCut(at: state.crashPoint)
        if state.profile == .kill, !losses.isEmpty || piece != nil {
            let part = piece.map { ", after \($0.number) of its \($0.count) pieces" } ?? ""
            return ["The process was killed during its last write\(part). The kernel keeps all earlier writes."]
        }
        guard !losses.isEmpty else {
            if recording.mappedFiles.isEmpty, let piece {
                let part = "\(piece.number) of its \(piece.count) pieces"
                return ["The power failed during the last write, after \(part). Nothing else is lost."]
            }
            return [intact]
        }
        var sentences: [String] = []
        for loss in losses {
            let sentence = rule(of: loss) + " " + outcome(of: loss)
            if !sentences.contains(sentence) { sentences.append(sentence) }
        }
        if sentences.count > Self.sentencesAtMost {
            let more = sentences.count - Self.sentencesAtMost + 1
            sentences = sentences.prefix(Self.sentencesAtMost - 1) + ["And \(more) more losses like these."]
        }
        return sentences + order
    }

    /// The sentence if no recorded change is lost.
    private var intact: String {
        if let fault = recording.deviceFault {
            return
                "No sector is lost, and nothing shows that the store is at fault: after a fault of its device (event "
                + "\(fault.event)) a filesystem may lose what it has called synced."
        }
        if recording.sectorBytes != nil {
            return
                "No sector is lost: what is missing was in the filesystem's memory alone, and no sync of the store had "
                + "made it write that."
        }
        guard let file = recording.mappedFiles.first else {
            return "Nothing is lost: every file is as the store's processes left it."
        }
        return
            "No system call is lost. But the store writes through a shared mapping of \(file): such data is on disk only "
            + "after msync, fsync or a writeback by the kernel."
    }

    /// What makes such a change durable.
    private func rule(of loss: Loss) -> String {
        switch loss.effect {
        case .name(_, nil):
            "The \(loss.summary) is a change of its directory, durable only after a sync of the directory."
        case .name: "The \(loss.summary) is an entry of its directory, durable only after a sync of the directory."
        case .write, .zero: "Data written to \(loss.path) is durable only after fsync or fdatasync of the file."
        case .grow, .resize: "The new size of \(loss.path) is durable only after fsync or fdatasync of the file."
        case .attributes, .extendedAttribute: "Attributes of \(loss.path) are durable only after fsync of the file."
        }
    }

    /// Why no later sync made it durable.
    private func outcome(of loss: Loss) -> String {
        let syncs = syncs(after: loss)
        if let failed = syncs.first(where: { endings[$0].map { $0.errno != 0 } ?? false }), let end = endings[failed] {
            return "Its sync failed at event \(end.point), so that a later successful sync does not cover it."
        }
        if loss.isUnsyncable {
            return "An earlier sync of it failed, so that a later successful sync does not cover it."
        }
        if syncs.contains(where: { endings[$0] == nil }) { return "Its sync had not returned when the power failed." }
        if let done = syncs.first, let end = endings[done] {
            return "The sync that returned at event \(end.point) does not cover it."
        }
        let point = recording.events.firstIndex { event in
            if case .operation(let operation) = event { operation.id == loss.operation } else { false }
        }
        return point.map { "There was none after event \($0 + 1)." } ?? "There was none before the power cut."
    }

    /// The barriers after it on its file or directory; under a total order, on any.
    private func syncs(after loss: Loss) -> [OperationID] {
        let isOneOrder = state.profile.rules.order == .total
        return recording.events[..<state.crashPoint].compactMap { event in
            guard case .barrierBegan(let id, let barrier, _) = event, id > loss.operation else { return nil }
            switch barrier {
            case .fsync(let inode), .fdatasync(let inode):
                return isOneOrder || inode == loss.effect.inode ? id : nil
            case .flush: return id
            case .forceUnitAccess: return nil
            }
        }
    }

    /// Why the profile allows this order.
    private var order: [String] {
        if state.profile == .strict {
            return [
                "Even strict, the strongest profile, allows this: all earlier changes survive, in order."
            ]
        }
        var sentences: [String] = []
        if losses.contains(where: \.isTorn) {
            sentences.append("An unsynced write may be torn.")
        }
        let first = losses.map(\.operation).min()
        if let first, hasLaterSurvivor(first) {
            sentences.append(
                "A later unsynced change survived: \(state.profile.rawValue) does not keep unsynced changes in this "
                    + "order.")
        }
        return sentences
    }

    private func hasLaterSurvivor(_ first: OperationID) -> Bool {
        guard let (set, _) = try? recording.pendingSet(state.profile, at: state.crashPoint) else { return false }
        let lost = Set(losses.map(\.operation))
        return set.lost(set.survivors(.nothing)).items.contains { $0.operation > first && !lost.contains($0.operation) }
    }
}
