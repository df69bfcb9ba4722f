/// Whose operations a rule is for.
public enum ProcessCondition: Hashable, Sendable {
    case id(Int32)
    /// The process's name as the kernel keeps it: the first 15 bytes of its program's file name (proc(5), comm).
    case name(Glob)
}

extension ProcessCondition: CustomStringConvertible {
    public var description: String {
        switch self {
        case .id(let id): return "\(id)"
        case .name(let glob):
            let text = glob.description
            guard let first = text.utf8.first, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return text }
            // Nothing but digits would be a number.
            return "\\x" + String(first, radix: 16) + text.dropFirst()
        }
    }
}
