import Bytes
import CPlatform
import Foundation
import Glibc
import Machine
import Platform
import Storage
import Synchronization

/// Monitors the memory of this process during a run, so that a run over its limit ends with a result instead of being
/// killed.
///
/// Large data that grows with a run is spilled to disk (`budget`). Everything else is monitored here: over the limit,
/// `isOver` becomes true and stays true, and the run stops at its next check. The limit is far below the machine's
/// memory, so that enough remains to end cleanly. Thread safe.
package final class MemoryGuard: Sendable {
    /// Why the run cannot go on.
    package enum Problem: Sendable {
        /// The process is over its limit; `filesBytes` of the bytes taken are files in memory.
        case tooMuch(takenBytes: Int, filesBytes: Int)
        /// Spilled data cannot be read back: later results are invalid.
        case lost(String)
    }

    /// The memory budget of this run.
    package let budget: MemoryBudget
    /// The memory limit of the process.
    private let limit: MemorySize
    /// The scratch directory, if it is on a memory filesystem.
    private let files: MemoryFiles?
    /// The size of the in-memory files of all runs of this process, at the last count.
    private static let filesBytes = Atomic<Int>(0)
    private let over = Atomic<Bool>(false)
    private let found = Guarded<Problem?>(nil)

    private static let intervalMicroseconds: UInt32 = 20_000
    /// After a count, the thread waits this many times as long as the count took.
    private static let countingShare = 20

    /// Starts monitoring; it ends when the guard is released.
    ///
    /// - Parameters:
    ///   - limit: the limit of the process, of which the run has a share; nil if the run has all of it.
    ///   - scratch: the directory of the run's stores and crash states. It counts as memory if it is on a memory
    ///     filesystem.
    package init(_ budget: MemoryBudget, of limit: MemorySize? = nil, scratch: ByteString? = nil) {
        self.budget = budget
        self.limit = limit ?? MemorySize(bytes: budget.limitBytes)
        files = scratch.flatMap(MemoryFiles.init(in:))
        // If no thread can be started, the run continues without a limit.
        try? Platform.Thread.startDetached { [weak self] in
            var counted = CountedFiles()
            while self?.measure(&counted) == true { usleep(Self.intervalMicroseconds) }
            Self.filesBytes.subtract(counted.bytes, ordering: .relaxed)
        }
    }

    /// Whether there is a problem. Cheap enough for every iteration of a loop.
    package var isOver: Bool { over.load(ordering: .relaxed) }

    package var problem: Problem? { found.withLock { $0 } }

    /// Describes the problem and its remedy; nil if there is none.
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

    /// Reports that spilled data cannot be read; `reason` names the file.
    package func fail(_ reason: String) { note(.lost(reason)) }

    private func note(_ problem: Problem) {
        found.withLock { if $0 == nil { $0 = problem } }
        over.store(true, ordering: .relaxed)
    }

    private var place: String { files.map { "\($0.directory)" } ?? "" }

    /// The size of this run's in-memory files at the last count.
    private struct CountedFiles {
        var bytes = 0
        /// The earliest time of the next count.
        var nextCount = ContinuousClock.now

        mutating func set(_ bytes: Int) {
            MemoryGuard.filesBytes.add(bytes - self.bytes, ordering: .relaxed)
            self.bytes = bytes
        }
    }

    /// Checks memory once. Returns false if there is a problem.
    private func measure(_ counted: inout CountedFiles) -> Bool {
        if isOver { return false }
        count(&counted)
        // Freed memory not yet returned to the system must not count. Returning it takes milliseconds, so do it only
        // near the limit.
        let filesBytes = Self.filesBytes.load(ordering: .relaxed)
        guard residentBytes + filesBytes > limit.bytes / 4 * 3 else { return true }
        faultline_trim_memory()
        let taken = residentBytes + filesBytes
        guard taken > limit.bytes else { return true }
        note(.tooMuch(takenBytes: taken, filesBytes: filesBytes))
        return false
    }

    /// Counts the files in memory, but only if all files of that filesystem, other programs' included, could exceed the
    /// limit. A count takes a system call per file, so the interval grows with the time it takes.
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
