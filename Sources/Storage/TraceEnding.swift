import Bytes

/// How a trace file ends.
public enum TraceEnding: Hashable, Sendable {
    /// With its end record: nothing is missing.
    case whole
    /// After a record, without the end record: whoever wrote it is still at work or was stopped. Records that it held
    /// in its buffer are missing.
    case unfinished(atBytes: UInt64)
    /// Within the record that begins at `recordBytes`: of that one, at least `missingBytes` bytes are not there.
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
