import Bytes
import Model
import Platform

/// Notes what a recovery reads of a crash state in memory, before it changes it. Thread safe.
package final class ReadRecorder: Sendable {
    private struct State {
        var reads: [Read] = []
        var names: Set<ByteString> = []
        var hasListed = false
    }

    private let state = Guarded(State())

    package init() {}

    /// What was read so far, in order.
    package var reads: [Read] { state.withLock { $0.reads } }

    func noteName(_ name: ByteString) {
        state.withLock { if $0.names.insert(name).inserted { $0.reads.append(.name(name)) } }
    }

    func noteListing() {
        state.withLock { state in
            if !state.hasListed { state.reads.append(.listing("")) }
            state.hasListed = true
        }
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
