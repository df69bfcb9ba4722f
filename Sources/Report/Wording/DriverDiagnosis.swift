import Bytes
import Oracle
import Runs

/// What is wrong in a run without any fault, and where to look: nothing can be lost there, so that the two commands that
/// drive the store are suspected before the store is.
struct DriverDiagnosis {
    private let violation: Violation
    private let oracle: ByteString
    private let otherCount: Int

    /// - Parameter oracle: the file that the lines are quoted from.
    init(_ violations: [Violation], oracle: ByteString) {
        violation = violations[0]
        otherCount = violations.count - 1
        self.oracle = oracle
    }

    var text: String {
        let more = otherCount > 0 ? " (and \(otherCount) more)" : ""
        return (["without any fault: \(violation)\(more)", quotation, advice].compactMap(\.self)).joined(
            separator: "; ")
    }

    /// The line of the oracle that speaks of it.
    private var quotation: String? {
        let number = violation.line ?? violation.expected.compactMap(\.line).first ?? violation.found?.line
        return number.map { OracleText.quotation(of: $0, in: oracle) }
    }

    private var advice: String {
        switch violation.check {
        case .opens:
            "look at the recover command: it has to open what the workload left, print one line a key and the end line, "
                + "and exit with 0. If it is right, the store does not open without any crash"
        case .filesystem: "look at the filesystem beneath the store, and at the kernel's log: its own checker complains"
        case .durable where violation.found?.payload == nil, .noHoles, .atomic:
            "look at both commands: the workload acknowledged this, and the recover command does not show it. Do they use "
                + "the same directory and the same key, and does the workload close the store? If both are right, the store "
                + "loses it without any crash"
        case .durable, .noResurrection:
            "look at the workload: it acknowledged this operation, and the store is at an earlier one. Does it hand the "
                + "store what it writes to the oracle, in that order? If it does, the store forgets it without any crash"
        case .perKeyPrefix, .payloadIntegrity:
            "look at both commands: is the value in the oracle, byte for byte, what the store was given, and what the "
                + "recover command prints what the store holds (base64 of the bytes)? If both are right, the store changes it"
        case .noExtras:
            "look at the recover command: it prints a key that no line of the oracle names. If the key is encoded as in the "
                + "oracle, the store made it up"
        case .consistent:
            "look at the check of the manifest: is it the right command, and does it find the store where the recovery left "
                + "it? If it is right, the store complains of itself without any crash"
        case .idempotent:
            "look at the recover command: it shows something else the second time. If it only reads, the store's recovery "
                + "changes what is there"
        case .writable:
            "look at the workload: on a store that is there it has to go on, with operations from FAULTLINE_FIRST_SEQ. If it "
                + "does, the store takes no write after it was opened again"
        }
    }
}
