import Bytes
import Model

/// What a power cut left, and what it lost.
package struct PowerCut: Sendable {
    /// The crash point: how many events of the trace had happened.
    package var eventCount: Int
    package var lost: LostAtoms
    /// What was lost, in words, a line for each part.
    package var story: [String]
    /// What could have been lost, in words.
    package var unsynced: [String]
    /// The tree that is in the backing directory now. Its contents are payloads of the mount.
    package var tree: Tree
}

extension FaultMount {
    /// Cuts the power if it is still there, unmounts, and leaves in the backing directory the crash state that
    /// `profile` allows and `choice` asks for. The cost is in proportion to what is lost, not to the sizes of files.
    ///
    /// Needs a trace. Whoever still had files of the mount open finds them failing.
    package func cutPower(
        _ profile: Profile, _ choice: Choice, unitBytes: UInt64? = nil
    ) throws(MountError) -> PowerCut {
        recorder.freeze(.asked)
        return try unmount { cutter throws(MountError) in
            guard let cutter else { throw .notRecorded(backing) }
            return try cutter.cut(profile, unitBytes: unitBytes) { $0.survivors(choice) }
        }
    }

    /// Cuts the power if it is still there, and leaves the crash state in the backing directory while the mount, in
    /// which every call fails, stays where it is. Power goes once: a later request gets the same answer.
    package func cutPowerInPlace(_ request: CutRequest) throws(MountError) -> PowerCut {
        recorder.freeze(.asked)
        guard let cutter else { throw .notRecorded(backing) }
        return try cutter.cut(request.profile) { $0.survivors(request.effect, seed: request.seed) }
    }

    /// The command `crash`: freezes at once, cuts, and tells.
    func crash(asTold request: CutRequest) throws(Refusal) -> String {
        guard recorder.isRecording else {
            recorder.freeze(.asked)
            return "ok; nothing is recorded, so nothing is lost: the backing directory keeps everything"
        }
        let wasThere = cutter?.cut == nil
        do throws(MountError) {
            let cut = try cutPowerInPlace(request)
            return (wasThere ? "ok, " : "ok, the power was gone before: ") + Self.words(cut)
        } catch {
            throw Refusal(reason: "the power is gone, but no crash state could be left: \(error)")
        }
    }

    /// What `.faultline/crash` says as long as nobody asked it for a crash.
    var cutStory: String { cutter?.cut.map { Self.words($0) + "\n" } ?? "the power was not cut\n" }

    private static func words(_ cut: PowerCut) -> String {
        let lost = cut.story.isEmpty ? ["nothing"] : cut.story
        return (["crash after event \(cut.eventCount)"] + lost.map { "lost: \($0)" }).joined(separator: "\n")
    }

    /// The data of everything recorded and of the files as they were mounted. Nil when nothing is recorded.
    package var payloads: (any PayloadStore)? {
        guard let trace = options.trace, let undo = fileSystem?.undo else { return nil }
        return MountPayloads(recorded: trace.payloads, base: undo)
    }
}
