/// One entry of a write log (drivers/md/dm-log-writes.c; Documentation/admin-guide/device-mapper/log-writes.rst).
package struct WriteLogEntry: Hashable, Sendable {
    package struct Flags: OptionSet, Hashable, Sendable {
        package let rawValue: UInt64

        package init(rawValue: UInt64) { self.rawValue = rawValue }

        package static let flush = Flags(rawValue: 1)
        package static let forceUnitAccess = Flags(rawValue: 2)
        package static let discard = Flags(rawValue: 4)
        package static let mark = Flags(rawValue: 8)
        package static let metadata = Flags(rawValue: 16)
        static let known: Flags = [.flush, .forceUnitAccess, .discard, .mark, .metadata]
    }

    /// Counted from 1.
    package var number: UInt64
    /// Where it begins in the log, in bytes.
    package var offsetBytes: UInt64
    package var flags: Flags
    /// The bytes of the device that it is about; empty for a mark, and for a flush alone.
    package var range: Range<UInt64>
    /// Where its data begins in the log, in bytes.
    package var dataOffsetBytes: UInt64
    /// The text of a mark; empty for every other entry.
    package var text: [UInt8]
}
