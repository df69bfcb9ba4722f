import Bytes
import Exploration
import Glibc
import Model
import Oracle
import Platform
import Storage
import Synchronization
import Targets

/// Shows crash states of a block device to the kernel and lets it mount them, which is the filesystem's own recovery; then
/// lets the target recover what it finds there, unless it has recovered the same files before. A filesystem that does not mount, that turns read-only, or that its own
/// checker complains of is told as such, and never as the store's failure.
///
/// Thread safe.
package final class ImageRecovery: StateRecoverer {
    /// The name of the device's file in the recorded tree.
    package static let diskName: ByteString = "disk"

    private let pool: ImagePool
    private let payloads: any PayloadStore
    private let client: RecoverClient
    /// A directory of ours: `ImagePool`'s.
    private let scratch: ByteString
    private let checkPeriod: Int
    private let recovery: DirectoryRecovery
    private let known: KnownEvidence
    private let tally: ImageTally
    private static let count = Atomic<Int>(0)

    /// - Parameter checkPeriod: the filesystem's checker looks at one of so many images, chosen by their content, and at
    ///   each in which the store does not open.
    package convenience init(
        _ pool: ImagePool, payloads: any PayloadStore, client: RecoverClient, scratch: ByteString, checkPeriod: Int,
        tally: ImageTally
    ) {
        self.init(
            pool, payloads: payloads, client: client, scratch: scratch, checkPeriod: checkPeriod,
            known: KnownEvidence(), tally: tally)
    }

    private init(
        _ pool: ImagePool, payloads: any PayloadStore, client: RecoverClient, scratch: ByteString, checkPeriod: Int,
        known: KnownEvidence, tally: ImageTally
    ) {
        self.pool = pool
        self.payloads = payloads
        self.client = client
        self.scratch = scratch
        self.checkPeriod = max(1, checkPeriod)
        self.known = known
        self.tally = tally
        recovery = DirectoryRecovery(client, scratch: scratch)
    }

    /// Enough for all workers. The rest of a batch is left out once the time is up.
    package var batchCount: Int { 128 }

    package func recording(ofRecovering tree: Tree) -> Recording? { nil }

    package func reading(_ payloads: any PayloadStore) -> any StateRecoverer {
        ImageRecovery(
            pool, payloads: payloads, client: client, scratch: scratch, checkPeriod: checkPeriod, known: known,
            tally: tally)
    }

    package func recover(_ tree: Tree, inFreshProcess: Bool) throws -> RecoveredState {
        guard let inode = tree[DirectoryEntry(.root, Self.diskName)], let disk = tree.nodes[inode] else {
            return RecoveredState(evidence: Evidence(.filesystemBroken(reason: "the device is not there")))
        }
        let isChecked = tree.digest.low % UInt64(checkPeriod) == 0
        let evidence = try recovery.evidence(inFreshProcess: inFreshProcess) { inFreshProcess in
            try pool.withImage { try attempt($0, disk.content, inFreshProcess: inFreshProcess, isChecked: isChecked) }
        }
        return RecoveredState(evidence: evidence)
    }

    private typealias Attempt = DirectoryRecovery.Attempt

    private func attempt(
        _ image: BlockImage, _ content: ExtentMap, inFreshProcess: Bool, isChecked: Bool
    ) throws -> Attempt {
        try tally.time(.load) { try image.load(content, payloads) }
        let mount: BlockMount
        do {
            mount = try tally.time(.mount) { try image.mount() }
        } catch let failure as MountFailure {
            return try broken("\(failure)", image)
        }
        var attempt: Attempt
        do {
            attempt = try tally.time(.recover) { try recoverStore(on: image, mount, inFreshProcess: inFreshProcess) }
            try tally.time(.unmount) { try mount.end() }
        } catch {
            mount.detach()
            throw error
        }
        if case .filesystemBroken(let reason) = attempt.evidence.recovery { return try broken(reason, image) }
        guard isChecked || attempt.evidence.recovery.failure != nil else { return attempt }
        tally.noteCheck()
        if let complaint = try tally.time(.check, { try image.complaint() }) {
            try FreeSpace.require(in: scratch, doing: "checking an image")
            attempt = Attempt(evidence: Evidence(.filesystemBroken(reason: complaint)))
        }
        return attempt
    }

    private func recoverStore(
        on image: BlockImage, _ mount: BlockMount, inFreshProcess: Bool
    ) throws -> Attempt {
        let directory = image.mountPoint.appending(component: FreshFilesystem.storeName)
        let skeleton: Tree
        do throws(TreeError) { skeleton = try Tree(skeletonOf: directory) } catch {
            return Attempt(evidence: Evidence(.filesystemBroken(reason: "reading its directories: \(error.words)")))
        }
        let files = inFreshProcess ? nil : DirectoryContents.read(directory).map(StateHash.init(of:))
        if let files, let evidence = known.evidence(of: files) { return Attempt(evidence: evidence) }
        let number = Self.count.add(1, ordering: .relaxed).newValue
        tally.noteRecovery()
        let attempt = try recovery.attempt(
            directory, holding: skeleton.escapingLinks(), number: number, inFreshProcess: inFreshProcess)
        if let files, attempt.unconfirmed == nil {
            known.note(attempt.evidence, of: files)
            if known.hasDiffered { tally.noteDifference() }
        }
        // A store that does not open on a filesystem that takes no write has not failed by itself.
        guard attempt.evidence.recovery.failure != nil, let reason = mount.refusalOfWrites else { return attempt }
        return Attempt(evidence: Evidence(.filesystemBroken(reason: reason)))
    }

    /// What the filesystem's checker says is added to what the kernel said.
    private func broken(_ reason: String, _ image: BlockImage) throws -> Attempt {
        try FreeSpace.require(in: scratch, doing: "mounting an image")
        tally.noteCheck()
        let complaint = try tally.time(.check) { try image.complaint() }
        return Attempt(
            evidence: Evidence(.filesystemBroken(reason: reason + (complaint.map { "; \($0)" } ?? ""))))
    }
}

extension TreeError {
    /// Without the path, which is another one for each image.
    fileprivate var words: String {
        if case .system(let call, _, let errno) = self { return "\(call): \(Errno(errno))" }
        return "\(self)"
    }
}
