import Bytes

extension Cleanup {
    /// One thing found, and its outcome.
    package struct Action: Hashable, Sendable {
        package enum Subject: Hashable, Sendable {
            case path(ByteString)
            case process(Int32, name: ByteString)
        }

        package enum Outcome: Hashable, Sendable {
            case unmounted
            case removed
            /// A leftover process was killed.
            case ended
            /// A run whose process died was marked as interrupted.
            case markedInterrupted
            case leftAlone(reason: String)
            case failed(reason: String)
        }

        package var subject: Subject
        package var outcome: Outcome

        package init(_ subject: Subject, _ outcome: Outcome) {
            self.subject = subject
            self.outcome = outcome
        }

        package init(_ path: ByteString, _ outcome: Outcome) { self.init(.path(path), outcome) }

        package var isFailure: Bool { if case .failed = outcome { true } else { false } }
    }
}

extension Cleanup.Action.Subject: CustomStringConvertible {
    package var description: String {
        switch self {
        case .path(let path): path.description
        case .process(let process, let name): "process \(process) (\(name))"
        }
    }
}
