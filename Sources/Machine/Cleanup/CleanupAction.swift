import Bytes

extension Cleanup {
    /// One thing that was found, and what came of it.
    package struct Action: Hashable, Sendable {
        package enum Subject: Hashable, Sendable {
            case path(ByteString)
            case process(Int32, name: ByteString)
        }

        package enum Outcome: Hashable, Sendable {
            case unmounted
            case removed
            /// A process was killed that a killed run had left.
            case ended
            /// A run whose process died is not running any more.
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
