import Bytes
import Model

extension FaultMount {
    /// Cuts the power unless it is off, unmounts, and turns the backing directory into the crash state for `profile`
    /// and `choice`. The cost grows with the amount of lost data, not with file sizes.
    ///
    /// Needs a trace. Afterwards every call on a file that is still open fails.
    package func cutPower(
        _ profile: Profile, _ choice: Choice, unitBytes: UInt64? = nil
    ) throws(MountError) -> PowerCut {
        recorder.freeze(.requested)
        return try unmount { cutter throws(MountError) in
            guard let cutter else { throw .notRecorded(backing) }
            return try cutter.cut(profile, unitBytes: unitBytes) { $0.survivors(choice) }
        }
    }

    /// Cuts the power unless it is off, and turns the backing directory into the crash state. The mount stays; every
    /// call on it fails. There is only one power cut: later requests return the first result.
    package func cutPowerInPlace(_ request: CutRequest) throws(MountError) -> PowerCut {
        recorder.freeze(.requested)
        guard let cutter else { throw .notRecorded(backing) }
        return try cutter.cut(request.profile) { $0.survivors(request.effect, seed: request.seed) }
    }

    /// Runs the command `crash` and returns its answer.
    func runCrashCommand(_ request: CutRequest) throws(CommandError) -> String {
        guard recorder.isRecording else {
            recorder.freeze(.requested)
            return "ok; nothing is recorded, so nothing is lost: the backing directory keeps every change"
        }
        let isFirst = cutter?.cut == nil
        do throws(MountError) {
            let cut = try cutPowerInPlace(request)
            return (isFirst ? "ok, " : "ok, the power was already off: ") + Self.summary(cut)
        } catch {
            throw CommandError(reason: "the power is off, but the crash state could not be written: \(error)")
        }
    }

    /// The text of `.faultline/crash` before its first command.
    var cutSummary: String { cutter?.cut.map { Self.summary($0) + "\n" } ?? "the power is on\n" }

    private static func summary(_ cut: PowerCut) -> String {
        let lost = cut.lossDescriptions.isEmpty ? ["nothing"] : cut.lossDescriptions
        return (["crash after event \(cut.eventCount)"] + lost.map { "lost: \($0)" }).joined(separator: "\n")
    }

    /// All data of the recording: recorded writes and base contents. nil when nothing is recorded.
    package var payloads: (any PayloadStore)? {
        guard let trace = options.trace, let undo = fileSystem?.undo else { return nil }
        return MountPayloads(recorded: trace.payloads, base: undo)
    }
}
