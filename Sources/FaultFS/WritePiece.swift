import Model

/// A write that the kernel handed over: all that a write(2) wrote, or a piece of it.
///
/// Linux 6.18 ends a request within a call in two places (fs/fuse/file.c, fuse_fill_write_pages): behind the first page
/// when the call writes only the end of it and the page is not up to date, and at the most that one request may carry.
/// Nothing in a request says that another follows, so two calls of one thread, one right behind the other, look the same
/// when the first begins within a page and fills it to its end.
struct WritePiece {
    /// A thread: FUSE names those and not processes.
    var process: Int32
    var inode: InodeID
    var range: Range<UInt64>

    private static let pageBytes: UInt64 = 4096
    /// The most that one request carries: 256 pages (libfuse, FUSE_MAX_MAX_PAGES).
    private static let requestBytes: UInt64 = 1 << 20

    /// Whether this is one more piece of the call that `last` is a piece of, when nothing was recorded between them.
    func goesOn(from last: WritePiece) -> Bool {
        guard process != 0, process == last.process, inode == last.inode, range.lowerBound == last.range.upperBound
        else { return false }
        let fillsPage =
            last.range.upperBound % Self.pageBytes == 0 && last.range.lowerBound % Self.pageBytes != 0
            && last.range.count < Self.pageBytes
        return fillsPage || last.range.count == Self.requestBytes
    }
}
