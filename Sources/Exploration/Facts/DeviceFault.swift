import Bytes
import Model

/// The first fault of a block device that a filesystem may have answered with a loss.
///
/// After it no loss is the store's: a filesystem whose device failed once may lose what it later says is synced. ext4 leaves
/// rewritten blocks marked unwritten, for example, though fdatasync returned 0 (docs/real-filesystems.md).
package struct DeviceFault: Hashable, Codable, Sendable {
    /// The text of the rule that injected it.
    package var rule: String
    /// The number of events up to the fault, which is the last of them.
    package var event: Int
    /// The number of oracle lines before it.
    package var linesBefore: Int

    package init(rule: String, event: Int, linesBefore: Int) {
        (self.rule, self.event, self.linesBefore) = (rule, event, linesBefore)
    }

    /// Whether a state at this oracle line may have been derived after the fault.
    ///
    /// A state with as many lines as the fault may be before it or after it, and counts as after it.
    func mayPrecede(line: Int) -> Bool { line >= linesBefore }
}

extension Recording {
    /// The first fault of the recorded block device; nil for a recording of files, or if there was none. A delay is no
    /// such fault, because nothing is lost by it.
    package var deviceFault: DeviceFault? {
        guard sectorBytes != nil else { return nil }
        var lines = 0
        for (index, event) in events.enumerated() {
            switch event {
            case .oracle: lines += 1
            case .fault(_, let rule) where !Self.isDelay(rule):
                return DeviceFault(rule: rule.description, event: index + 1, linesBefore: lines)
            default: break
            }
        }
        return nil
    }

    private static func isDelay(_ rule: ByteString) -> Bool {
        guard let rule = try? Rule(parsing: rule.description), case .inject(let injection, _) = rule.action else {
            return false
        }
        if case .delay? = injection.genericFault { return true }
        return false
    }
}
