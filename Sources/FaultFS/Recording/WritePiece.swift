import Model

/// A write request of the kernel: a whole write(2) or a piece of one.
///
/// Linux 6.18 splits a write(2) in two places (fs/fuse/file.c, fuse_fill_write_pages): after the first page, if the
/// call writes only the end of that page and the page is not up to date; and at the size limit of a request. A request
/// does not say whether another follows. So two calls of one thread look like one when the first starts within a page,
/// fills it to the end, and the second continues there.
struct WritePiece {
    /// The thread id: FUSE reports threads, not processes.
    var process: Int32
    var inode: InodeID
    var range: Range<UInt64>

    private static let pageBytes: UInt64 = 4096
    /// The size limit of a request: 256 pages (libfuse, FUSE_MAX_MAX_PAGES).
    private static let requestBytes: UInt64 = 1 << 20

    /// Whether this looks like the next piece of the same call as `last`, with nothing recorded in between.
    func continues(_ last: WritePiece) -> Bool {
        guard process != 0, process == last.process, inode == last.inode, range.lowerBound == last.range.upperBound
        else { return false }
        let fillsPage =
            last.range.upperBound % Self.pageBytes == 0 && last.range.lowerBound % Self.pageBytes != 0
            && last.range.count < Self.pageBytes
        return fillsPage || last.range.count == Self.requestBytes
    }
}
