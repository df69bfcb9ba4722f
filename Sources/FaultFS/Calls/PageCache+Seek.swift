import CPlatform
import Glibc
import Model
import Platform

extension PageCache {
    /// lseek(2) with SEEK_DATA or SEEK_HOLE over storage and cached bytes: a page with cached bytes is data.
    func seek(_ file: BackingFile, from offset: UInt64, findsHole: Bool) throws(Errno) -> UInt64 {
        let number = file.descriptor.rawValue
        var position = offset
        while true {
            let stored = faultline_lseek(number, off_t(position), findsHole ? Self.seekHole : Self.seekData)
            let page = position / Self.pageBytes * Self.pageBytes
            let next = visible.slice(page..<UInt64.max).first.map {
                max(position, $0.offsetBytes / Self.pageBytes * Self.pageBytes)
            }
            if !findsHole {
                guard let next, stored < 0 || next < UInt64(stored) else { return UInt64(try Errno.check(stored)) }
                return next
            }
            let hole = UInt64(try Errno.check(stored))
            let holePage = hole / Self.pageBytes * Self.pageBytes
            guard !visible.slice(holePage..<holePage + Self.pageBytes).isEmpty else { return hole }
            // The end of the file is the last hole.
            position = holePage + Self.pageBytes
            if faultline_lseek(number, off_t(position), Self.seekHole) < 0 { return try file.sizeBytes() }
        }
    }

    private static let seekData: Int32 = 3
    private static let seekHole: Int32 = 4
}
