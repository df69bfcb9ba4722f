/// The atomic word from which space in the active segment is reserved: the end of the last reserved record, the number of
/// records, and whether the segment is sealed. All three change in one atomic step.
struct Reservation {
    let rawValue: UInt64

    init(rawValue: UInt64) { self.rawValue = rawValue }

    init(count: UInt64, endBytes: UInt64) {
        rawValue = count << 32 | endBytes
    }

    /// 32 bits: a segment may pass its size limit of 1 GiB by one batch of at most 1 GiB.
    var endBytes: UInt64 { rawValue & 0xFFFF_FFFF }
    /// 31 bits: a record has at least 28 bytes.
    var count: UInt64 { rawValue >> 32 & 0x7FFF_FFFF }
    var isSealed: Bool { rawValue >> 63 != 0 }
    var sealed: Reservation { Reservation(rawValue: rawValue | 1 << 63) }

    func adding(count: Int, sizeBytes: Int) -> Reservation {
        Reservation(rawValue: rawValue + UInt64(count) << 32 + UInt64(sizeBytes))
    }
}
