import Bytes
import Model
import Platform

/// Notes what a recovery reads of a crash state in memory, before it changes it. Thread safe.
package final class ReadRecorder: Sendable {
    private struct State {
        var reads: [Read] = []
        /// What is noted at most once: everything but what is in files.
        var known: Set<Read> = []
    }

    private let state = Guarded(State())

    package init() {}

    /// What was read so far, in order.
    package var reads: [Read] { state.withLock { $0.reads } }

    /// Notes that a place was looked at, unless that is known.
    package func note(_ read: Read) {
        state.withLock { if $0.known.insert(read).inserted { $0.reads.append(read) } }
    }

    fileprivate func note(_ reads: [Read]) { state.withLock { $0.reads += reads } }
}

/// A file of a crash state, whose reads are noted under the name that it had there.
final class ReadFile: Sendable {
    private let name: ByteString
    private let recorder: ReadRecorder
    private let parts = Guarded(ReadParts())

    init(_ name: ByteString, _ recorder: ReadRecorder) { (self.name, self.recorder) = (name, recorder) }

    func noteSize() { note(nil) }

    /// Bytes that are read also tell whether the file reaches so far.
    func noteRead(_ bytes: Range<UInt64>) { note(bytes) }

    private func note(_ bytes: Range<UInt64>?) {
        let reads = parts.withLock { parts -> [Read] in
            var reads: [Read] = parts.readSize() ? [.size(name)] : []
            if let bytes { reads += parts.read(bytes).map { .data(name, $0) } }
            return reads
        }
        if !reads.isEmpty { recorder.note(reads) }
    }

    func noteWrite(_ bytes: Range<UInt64>) { parts.withLock { $0.overwrite(bytes) } }
}
