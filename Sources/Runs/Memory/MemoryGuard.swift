import Bytes
import CPlatform
import Foundation
import Glibc
import Machine
import Platform
import Storage
import Synchronization

/// Watches how much memory this process takes while a run is at work, so that a run which would take more than it may
/// ends with a result, and not with the process.
///
/// What grows with a run is put aside on a disk as soon as it is much (`budget`). What cannot be put aside is watched
/// here: beyond the limit `isOver` turns true for good, which the run asks where it asks whether to stop. Memory is then
/// still there for ending well: the limit is far below what the machine has. Thread safe.
package final class MemoryGuard: Sendable {
    /// Why the run cannot go on.
    package enum Problem: Sendable {
        /// It takes so many bytes, which is more than it may; `filesBytes` of them are files in memory.
        case tooMuch(takenBytes: Int, filesBytes: Int)
        /// What was put aside on the disk cannot be read again: what came after that does not count.
        case lost(String)
    }

    /// What this run may keep.
    package let budget: MemoryBudget
    /// What the process may take.
    private let limit: MemorySize
    /// Scratch space, where it lies in memory.
    private let files: MemoryFiles?
    /// What the files of all runs of this process take, as far as they were counted.
    private static let filesBytes = Atomic<Int>(0)
    private let over = Atomic<Bool>(false)
    private let found = Guarded<Problem?>(nil)

    private static let intervalMicroseconds: UInt32 = 20_000
    /// Counting files takes at most one part of this many of the watching thread's time.
    private static let countingShare = 20

    /// Watches from now on, as long as there are references to it.
    ///
    /// - Parameters:
    ///   - limit: what the process may take, of which the run has a share; nil where it has all of it.
    ///   - scratch: where the run's stores and crash states lie. In a memory filesystem they count.
    package init(_ budget: MemoryBudget, of limit: MemorySize? = nil, scratch: ByteString? = nil) {
        self.budget = budget
        self.limit = limit ?? MemorySize(bytes: budget.limitBytes)
        files = scratch.flatMap(MemoryFiles.init(in:))
        // Without a thread nobody watches: the run goes on as it would without a limit.
        try? Platform.Thread.startDetached { [weak self] in
            var counted = CountedFiles()
            while self?.look(&counted) == true { usleep(Self.intervalMicroseconds) }
            Self.filesBytes.subtract(counted.bytes, ordering: .relaxed)
        }
    }

    /// There is a problem. Cheap enough for every turn of a loop.
    package var isOver: Bool { over.load(ordering: .relaxed) }

    package var problem: Problem? { found.withLock { $0 } }

    /// What the problem is, and what to do about it; nil where there is none.
    package var words: String? {
        switch problem {
        case nil: nil
        case .tooMuch(let takenBytes, let filesBytes):
            "Faultline takes \(MemorySize(bytes: takenBytes)) of memory"
                + (filesBytes > 0 ? ", \(MemorySize(bytes: filesBytes)) of them files in \(place)" : "")
                + ", and may take \(limit): give it more with --memory, or less to do with --ops, --value-len or "
                + "(explore) --states"
        case .lost(let reason): reason
        }
    }

    /// Something that was put aside cannot be read: `reason` names the place.
    package func fail(_ reason: String) { note(.lost(reason)) }

    private func note(_ problem: Problem) {
        found.withLock { if $0 == nil { $0 = problem } }
        over.store(true, ordering: .relaxed)
    }

    private var place: String { files.map { "\($0.directory)" } ?? "" }

    /// What this run's files in memory took when they were last counted.
    private struct CountedFiles {
        var bytes = 0
        /// Before this they are not counted again.
        var nextCount = ContinuousClock.now

        mutating func set(_ bytes: Int) {
            MemoryGuard.filesBytes.add(bytes - self.bytes, ordering: .relaxed)
            self.bytes = bytes
        }
    }

    /// False when it is over.
    private func look(_ counted: inout CountedFiles) -> Bool {
        if isOver { return false }
        count(&counted)
        // What was freed and not given back to the system is not taken. To give it back costs milliseconds.
        let filesBytes = Self.filesBytes.load(ordering: .relaxed)
        guard residentBytes + filesBytes > limit.bytes / 4 * 3 else { return true }
        faultline_trim_memory()
        let taken = residentBytes + filesBytes
        guard taken > limit.bytes else { return true }
        note(.tooMuch(takenBytes: taken, filesBytes: filesBytes))
        return false
    }

    /// Counts the files in memory, where they may matter: all files of that filesystem, other programs' too, are more
    /// than there is room for. To count takes a system call for each file, so it is done seldom where they are many.
    private func count(_ counted: inout CountedFiles) {
        guard let files else { return }
        let most = files.filesystemBytes
        guard residentBytes + most > limit.bytes else {
            return counted.set(0)
        }
        let began = ContinuousClock.now
        guard began >= counted.nextCount else { return }
        counted.set(files.countBytes())
        let end = ContinuousClock.now
        counted.nextCount = end + (end - began) * Self.countingShare
    }

    private var residentBytes: Int { ResidentMemory.currentBytes ?? 0 }
}
