/// The process whose operations a rule matches.
public enum ProcessCondition: Hashable, Sendable {
    case id(Int32)
    /// The name of the process in the kernel: the first 15 bytes of its program's file name (proc(5), comm).
    case name(Glob)
}

extension ProcessCondition: CustomStringConvertible {
    public var description: String {
        switch self {
        case .id(let id): return "\(id)"
        case .name(let glob):
            let text = glob.description
            guard let first = text.utf8.first, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return text }
            // A name of digits only would parse as a process id.
            return "\\x" + String(first, radix: 16) + text.dropFirst()
        }
    }
}
