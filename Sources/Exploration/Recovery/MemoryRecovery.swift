import Bytes
import Model
import Oracle
import Storage
import Synchronization
import Targets

/// Recovers crash states of a built-in store in this process, on storage in memory, without files or other processes. No
/// data carries over from state to state. Thread safe.
///
/// A recovery that hangs or crashes takes this process with it. Use the recover command for stores that may do so.
package struct MemoryRecovery: StateRecoverer {
    private let store: BuiltInStore
    private let payloads: any PayloadStore
    /// If set, a key is written after recovery, and the power is cut again under this profile.
    private let probing: Profile?
    private let images = FileImages()
    private let seconds = SecondRecoveryCache()
    private static let count = Atomic<Int>(0)

    package init(_ store: BuiltInStore, payloads: any PayloadStore, probing: Profile? = nil) {
        self.store = store
        self.payloads = payloads
        self.probing = probing
    }

    package func recover(_ tree: Tree, inFreshProcess: Bool) throws -> RecoveredState {
        let storage = try MemoryStorage(tree, payloads: payloads, sharing: images)
        let first = dump(storage)
        guard case .opened(let observation) = first else { return RecoveredState(evidence: Evidence(first)) }
        guard let probing else {
            if inFreshProcess { return RecoveredState(evidence: Evidence(first, secondRecovery: dump(storage))) }
            let number = Self.count.add(1, ordering: .relaxed).newValue
            let second = seconds.recovery(after: storage.contentHash(), showing: first, number: number) {
                dump(storage)
            }
            return RecoveredState(evidence: Evidence(first, secondRecovery: second))
        }
        let second = dump(storage)
        let probe = try probe(storage, holding: observation, probing)
        return RecoveredState(evidence: Evidence(first, secondRecovery: second, probe: probe))
    }

    /// Not with a write after the recovery: what is read after the second power cut is not noted.
    package var notesReads: Bool { probing == nil }

    package func recoverNotingReads(_ tree: Tree) throws -> RecoveredState {
        let recorder = ReadRecorder()
        let storage = try MemoryStorage(tree, payloads: payloads, sharing: images, noting: recorder)
        let first = dump(storage)
        guard case .opened = first else { return RecoveredState(evidence: Evidence(first), reads: recorder.reads) }
        guard tree.isReadWhole(by: recorder.reads) else {
            let second = dump(storage)
            return RecoveredState(
                evidence: Evidence(first, secondRecovery: second == first ? first : second), reads: recorder.reads)
        }
        // There is nothing left that the second recovery could read first.
        let number = Self.count.add(1, ordering: .relaxed).newValue
        let second = seconds.recovery(after: storage.contentHash(), showing: first, number: number) { dump(storage) }
        return RecoveredState(evidence: Evidence(first, secondRecovery: second), reads: recorder.reads)
    }

    package func recording(ofRecovering tree: Tree) throws -> Recording? {
        let storage = try RecordingStorage(MemoryStorage(tree, payloads: payloads))
        _ = dump(storage)
        return Recording(base: storage.base, events: storage.events, payloads: storage.payloads)
    }

    package func reading(_ payloads: any PayloadStore) -> any StateRecoverer {
        MemoryRecovery(store, payloads: payloads, probing: probing)
    }

    private func dump(_ storage: any Storage) -> Recovery {
        var entries: [Observation.Entry] = []
        do {
            try store.dump(storage) { entries.append(Observation.Entry(key: $0, payload: $1)) }
        } catch {
            return .failed(reason: "\(error)")
        }
        do throws(Observation.DuplicateKey) { return .opened(try Observation(entries)) } catch {
            return .failed(reason: "it returns the key \(error.key) twice")
        }
    }

    private static let probeKey: ByteString = "\u{0}written after recovery"

    /// Writes a key. When it is acknowledged, cuts the power and loses all unsynced changes.
    private func probe(
        _ storage: MemoryStorage, holding observation: Observation, _ profile: Profile
    ) throws -> Evidence.Probe {
        let recorded = try RecordingStorage(storage)
        do { try store.write(Self.probeKey, [1], on: recorded) } catch { return .refused(reason: "\(error)") }
        var set = PendingSet(profile: profile, base: recorded.base)
        for event in recorded.events { set.add(event) }
        let left = try MemoryStorage(set.tree(set.survivors(.nothing)), payloads: recorded.payloads)
        let shown = dump(left)
        switch shown {
        case .failed, .hung, .filesystemBroken:
            return .lost(reason: "the store does not open after the next power cut: \(shown.failure ?? "")")
        case .opened(let found):
            guard found[Self.probeKey] == [1] else { return .unkept(reason: "the key written after recovery is gone") }
            let others = found.entries.filter { $0.key != Self.probeKey }
            return others == observation.entries
                ? .kept : .unkept(reason: "after the next power cut other keys have changed")
        }
    }
}

extension Tree {
    /// Whether these are reads of all names in the root, and of all that is in its files.
    fileprivate func isReadWhole(by reads: [Read]) -> Bool {
        var (hasListing, readBytes, sizes) = (false, 0 as UInt64, 0)
        for read in reads {
            switch read {
            case .listing: hasListing = true
            case .size: sizes += 1
            case .data(_, let range): readBytes += UInt64(range.count)
            case .name, .attributes, .extendedAttributes: break
            }
        }
        var (files, bytes) = (0, 0 as UInt64)
        for inode in nodes[.root]?.entries.values ?? [:].values {
            guard let node = nodes[inode], node.kind == .regular else { continue }
            files += 1
            bytes += (node.sizeBytes + Read.blockBytes - 1) / Read.blockBytes * Read.blockBytes
        }
        return hasListing && sizes == files && readBytes == bytes
    }
}
