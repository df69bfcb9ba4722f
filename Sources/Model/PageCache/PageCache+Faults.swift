import Bytes

/// Reads and writes with injected faults.
extension PageCache {
    /// Performs a write, changed by a fault. Returns the number of bytes to report as written. The caller handles errors,
    /// delays and crashes.
    package mutating func write<Backing: PageCacheBacking>(
        _ bytes: UnsafeRawBufferPointer, at offset: UInt64, _ fault: DrawnFault?, _ backing: Backing,
        _ retention: Retention
    ) throws(Backing.Failure) -> Int {
        switch fault {
        case .short(let count)?:
            let part = UnsafeRawBufferPointer(rebasing: bytes.prefix(Int(clamping: count)))
            return part.isEmpty ? 0 : try write(part, at: offset, backing, retention)
        case .drop?: break
        case .misdirect(let position)?: _ = try write(bytes, at: position, backing, retention)
        case .reorder(let rank)?:
            // Extend first, so that a write beyond the largest file size fails before data is held.
            try extend(toCover: offset, UInt64(bytes.count), backing, retention)
            try hold(rank: rank, bytes, at: offset, backing, retention)
        case .tear(let lost)?:
            let (end, overflow) = offset.addingReportingOverflow(UInt64(bytes.count))
            guard !overflow else { break }
            let gap = lost.clamped(to: offset..<end)
            for part in [offset..<gap.lowerBound, gap.upperBound..<end] where !part.isEmpty {
                let first = Int(part.lowerBound - offset)
                let data = UnsafeRawBufferPointer(rebasing: bytes[first..<first + part.count])
                _ = try write(data, at: part.lowerBound, backing, retention)
            }
        case nil, .fail?, .lose?, .lie?, .bitflip?, .stale?, .delay?, .crash?:
            return try write(bytes, at: offset, backing, retention)
        }
        // The size grows as if all data had been written.
        try extend(toCover: offset, UInt64(bytes.count), backing, retention)
        return bytes.count
    }

    /// Replaces bytes in `buffer`, which holds the file's bytes from `offset`, by those that a read with this fault
    /// returns. For a misdirected read, `offset` is the offset that was actually read.
    package func overlay<Backing: PageCacheBacking>(
        _ buffer: UnsafeMutableRawBufferPointer, at offset: UInt64, _ fault: DrawnFault?, _ backing: Backing
    ) throws(Backing.Failure) {
        try overlay(buffer, at: offset, backing)
        switch fault {
        case .stale?: try overlayOlder(buffer, at: offset, backing)
        case .bitflip(let position, let bit, .inFlight)?
        where position >= offset && position - offset < UInt64(buffer.count):
            buffer[Int(position - offset)] ^= 1 << bit
        case nil, .bitflip?, .fail?, .lose?, .lie?, .short?, .tear?, .drop?, .reorder?, .misdirect?, .delay?, .crash?:
            break
        }
    }
}
