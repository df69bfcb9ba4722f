import Bytes

/// Reads and writes, and what faults make of them.
extension PageCache {
    /// Carries out a write, or what a fault makes of it. Returns how many bytes the caller is to believe written. Errors,
    /// delays and crashes are the caller's business.
    package mutating func write<Backing: PageCacheBacking>(
        _ bytes: UnsafeRawBufferPointer, at offset: UInt64, _ fault: DrawnFault?, _ backing: Backing,
        _ keeping: Keeping
    ) throws(Backing.Failure) -> Int {
        switch fault {
        case .short(let count)?:
            let part = UnsafeRawBufferPointer(rebasing: bytes.prefix(Int(clamping: count)))
            return part.isEmpty ? 0 : try write(part, at: offset, backing, keeping)
        case .drop?: break
        case .misdirect(let place)?: _ = try write(bytes, at: place, backing, keeping)
        case .reorder(let rank)?:
            // Extended first: what no file can hold is refused before anything is held.
            try extend(toCover: offset, UInt64(bytes.count), backing, keeping)
            try hold(rank: rank, bytes, at: offset, backing, keeping)
        case .tear(let lost)?:
            let (end, overflow) = offset.addingReportingOverflow(UInt64(bytes.count))
            guard !overflow else { break }
            let gap = lost.clamped(to: offset..<end)
            for part in [offset..<gap.lowerBound, gap.upperBound..<end] where !part.isEmpty {
                let first = Int(part.lowerBound - offset)
                let data = UnsafeRawBufferPointer(rebasing: bytes[first..<first + part.count])
                _ = try write(data, at: part.lowerBound, backing, keeping)
            }
        default: return try write(bytes, at: offset, backing, keeping)
        }
        // The size does not tell that data is missing.
        try extend(toCover: offset, UInt64(bytes.count), backing, keeping)
        return bytes.count
    }

    /// Puts over a buffer, which the file's bytes from `offset` on were read into, what a read with this fault sees. Of
    /// one that is misdirected `offset` is the place that was read.
    package func overlay<Backing: PageCacheBacking>(
        _ buffer: UnsafeMutableRawBufferPointer, at offset: UInt64, _ fault: DrawnFault?, _ backing: Backing
    ) throws(Backing.Failure) {
        try overlay(buffer, at: offset, backing)
        switch fault {
        case .stale?: try overlayOlder(buffer, at: offset, backing)
        case .bitflip(let place, let bit, .inFlight)? where place >= offset && place - offset < UInt64(buffer.count):
            buffer[Int(place - offset)] ^= 1 << bit
        default: break
        }
    }
}
