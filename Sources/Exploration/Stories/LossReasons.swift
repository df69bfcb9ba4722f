import Model

/// Why a crash may lose what it lost: what would have made it durable, and what came of that.
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
            let part = piece.map { ", of which the kernel had \($0.number) of \($0.count) pieces" } ?? ""
            return ["The process was killed within its last write\(part); the kernel keeps what was written before."]
        }
        guard !losses.isEmpty else {
            if recording.mappedFiles.isEmpty, let piece {
                let part = "\(piece.number) of its \(piece.count) pieces"
                return ["The power went within the last write, of which \(part) had been made; nothing else is lost."]
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
            sentences = sentences.prefix(Self.sentencesAtMost - 1) + ["And so for \(more) more."]
        }
        return sentences + order
    }

    /// Nothing that was recorded is lost.
    private var intact: String {
        if recording.sectorBytes != nil {
            return
                "No sector is lost: what is missing was in the filesystem's memory alone, and no sync of the store had "
                + "made it write that."
        }
        guard let file = recording.mappedFiles.first else {
            return "Nothing is lost: every file is as the store's processes left it."
        }
        return
            "Every call of the store is whole. But it writes through a shared mapping of \(file): what it stored there "
            + "is on disk only after msync or fsync, or when the kernel writes it back."
    }

    /// What makes such a thing durable.
    private func rule(of loss: Loss) -> String {
        switch loss.effect {
        case .name(_, nil): "The \(loss.what) is a change of its directory, on disk only after a sync of the directory."
        case .name: "The \(loss.what) is an entry of its directory, on disk only after a sync of the directory."
        case .write, .zero: "What was written to \(loss.path) is on disk only after fsync or fdatasync of the file."
        case .grow, .resize: "The new size of \(loss.path) is on disk only after fsync or fdatasync of the file."
        case .attributes, .extendedAttribute: "Attributes of \(loss.path) are on disk only after fsync of the file."
        }
    }

    /// What was synced after it, of what could have made it durable.
    private func outcome(of loss: Loss) -> String {
        let syncs = syncs(after: loss)
        if let failed = syncs.first(where: { endings[$0].map { $0.errno != 0 } ?? false }), let end = endings[failed] {
            return "Its sync failed at event \(end.point): after that, a sync that succeeds promises nothing for it."
        }
        if loss.isUnsyncable { return "An earlier sync over it failed: a later one promises nothing for it." }
        if syncs.contains(where: { endings[$0] == nil }) { return "Its sync had not returned when the power went." }
        if let done = syncs.first, let end = endings[done] {
            return "The sync that returned at event \(end.point) does not cover it."
        }
        return "None came between it and the power cut."
    }

    /// The barriers that began after it on its file or its directory; under one order of everything, any.
    private func syncs(after loss: Loss) -> [OperationID] {
        let isOneOrder = state.profile == .strict || state.profile == .ext4Journal
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

    /// What the profile has to do with it.
    private var order: [String] {
        if state.profile == .strict {
            return [
                "The profile is strict: all else is kept, in order. No filesystem does better, so none avoids this."
            ]
        }
        var sentences: [String] = []
        if losses.contains(where: \.isTorn) {
            sentences.append("A write that was not synced may survive in part.")
        }
        let first = losses.map(\.operation).min()
        if let first, hasLaterSurvivor(first) {
            sentences.append(
                "Something later survived, though not synced either: under \(state.profile.rawValue) what is not synced "
                    + "keeps no such order.")
        }
        return sentences
    }

    private func hasLaterSurvivor(_ first: OperationID) -> Bool {
        guard let (set, _) = try? recording.pendingSet(state.profile, at: state.crashPoint) else { return false }
        let lost = Set(losses.map(\.operation))
        return set.lost(set.survivors(.nothing)).items.contains { $0.operation > first && !lost.contains($0.operation) }
    }
}
