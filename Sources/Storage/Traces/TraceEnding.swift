import Bytes

/// How a trace file ends.
public enum TraceEnding: Hashable, Sendable {
    /// The end record is there: the trace is complete.
    case whole
    /// No end record: the writer is still running or was killed. Records in its buffer are missing.
    case unfinished(atBytes: UInt64)
    /// The file ends within the record at offset `recordBytes`, which lacks at least `missingBytes` bytes.
    case cutOff(recordBytes: UInt64, missingBytes: UInt64)
}

extension TraceEnding: CustomStringConvertible {
    public var description: String {
        switch self {
        case .whole: "whole"
        case .unfinished(let at): "unfinished: no end record, stops after byte \(at)"
        case .cutOff(let record, let missing):
            "cut off: the record at byte \(record) lacks at least \(missing.counted("byte")); it and what followed are missing"
        }
    }
}
