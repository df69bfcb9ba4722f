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
    package func cutPower(_ profile: Profile, _ choice: Choice, unitBytes: UInt64 = 512) throws(MountError) -> PowerCut
    {
        recorder.freeze(.asked)
        return try unmount { fileSystem, directory throws(MountError) in
            guard let trace = options.trace, let undo = fileSystem.undo else { throw .notRecorded(backing) }
            let events: [TraceEvent]
            do { events = try trace.events() } catch { throw .trace("\(error)") }
            var pending = PendingSet(profile: profile, base: base, unitBytes: unitBytes)
            for event in events { pending.add(event) }
            let survivors = pending.survivors(choice)
            let wanted = pending.tree(survivors)
            let patch = TreePatch(
                from: pending.tree(pending.survivors(.everything)), to: wanted, backing: backing,
                limbo: directory.limbo, payloads: MountPayloads(recorded: trace.payloads, base: undo))
            try patch.apply()
            return PowerCut(
                eventCount: events.count, lost: pending.lost(survivors), story: pending.story(survivors),
                unsynced: pending.unsynced(), tree: wanted)
        }
    }

    /// The data of everything recorded and of the files as they were mounted. Nil when nothing is recorded.
    package var payloads: (any PayloadStore)? {
        guard let trace = options.trace, let undo = fileSystem?.undo else { return nil }
        return MountPayloads(recorded: trace.payloads, base: undo)
    }
}
