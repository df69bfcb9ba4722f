import Bytes
import Model
import Storage
import Testing

/// The crash states of a recorded workload, compared with the stored and the synced content.
@Suite struct RecordedWorkloadTests {
    /// The synced bytes of a file that were not written again since.
    private struct SyncedContent {
        var bytes: [UInt8]
        var isUntouched: [Bool]
    }

    @Test(arguments: Profile.allCases, 0..<3 as Range<UInt64>)
    func everythingIsWhatIsStoredAndPromisesAreInEveryState(_ profile: Profile, _ seed: UInt64) throws {
        let memory = MemoryStorage()
        let recording = try RecordingStorage(memory)
        var workload = RandomWorkload(recording, seed: seed)
        var set = PendingSet(profile: profile, base: recording.base)
        var taken = 0
        for step in 0..<120 {
            try workload.step()
            let events = recording.events
            for event in events[taken...] { set.add(event) }
            taken = events.count
            guard step % 12 == 11 else { continue }
            let all = try contents(set, .everything, recording)
            #expect(try all == memory.contents(), "seed \(seed), \(taken) events")
            if profile == .kill {
                // A kill may truncate only the write in flight.
                let least = try contents(set, .nothing, recording)
                #expect(Set(least.keys) == Set(all.keys))
                #expect(least.count { $0.value != all[$0.key] } <= 1, "seed \(seed)")
            }
        }
    }

    private func contents(
        _ set: PendingSet, _ choice: Choice, _ recording: RecordingStorage
    ) throws -> [ByteString: [UInt8]] {
        try MemoryStorage(set.tree(set.survivors(choice)), payloads: recording.payloads).contents()
    }

    /// Without renames, every crash state has all synced names and data that were not changed again.
    @Test(arguments: Profile.allCases, 0..<3 as Range<UInt64>)
    func whatWasSyncedSurvivesWhateverElseIsLost(_ profile: Profile, _ seed: UInt64) throws {
        let recording = try RecordingStorage(MemoryStorage())
        var random = RandomStream(seed: seed).stream("synced")
        let names: [ByteString] = ["a", "b", "c"]
        let files = try names.map { try recording.create($0) }
        try recording.syncDirectory()
        var promises = names.map { _ in SyncedContent(bytes: [], isUntouched: []) }
        var set = PendingSet(profile: profile, base: recording.base)
        var taken = 0
        for step in 0..<60 {
            let index = Int(random.next(upperBound: UInt64(3)))
            if random.chance(1, in: 4) {
                try files[index].sync()
                let bytes = try files[index].contents()
                promises[index] = SyncedContent(bytes: bytes, isUntouched: bytes.map { _ in true })
            } else {
                let (offset, count) = (random.next(upperBound: UInt64(9000)), 1 + random.next(upperBound: UInt64(5000)))
                let byte = UInt8(truncatingIfNeeded: random.next())
                try files[index].write([UInt8](repeating: byte, count: Int(count)), at: offset)
                for place in Int(offset)..<Int(offset + count) where place < promises[index].bytes.count {
                    promises[index].isUntouched[place] = false
                }
            }
            let events = recording.events
            for event in events[taken...] { set.add(event) }
            taken = events.count
            guard step % 6 == 5 else { continue }
            for choice in [.nothing, .seeded(seed)] as [Choice] {
                let state = try contents(set, choice, recording)
                for (name, promise) in zip(names, promises) {
                    let found = try #require(state[name], "seed \(seed): \(name) has no name")
                    let isKept =
                        found.count >= promise.bytes.count
                        && promise.bytes.indices.allSatisfy {
                            !promise.isUntouched[$0] || found[$0] == promise.bytes[$0]
                        }
                    #expect(isKept, "seed \(seed), \(profile), \(choice): \(name)")
                }
            }
        }
    }
}
