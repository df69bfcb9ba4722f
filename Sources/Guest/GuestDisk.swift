import Bytes

/// A disk of a guest: a file of this run, whose writes and flushes QEMU logs (its driver blklogwrites).
///
/// The log is that of dm-log-writes, and is in order: QEMU adds a write when it has done it, before the guest hears of it.
/// Killing QEMU cuts the guest's power.
package struct GuestDisk: Hashable, Sendable {
    /// A file of the disk's size.
    package var file: ByteString
    /// A file for the log. It may be sparse; what is never written takes no room.
    package var log: ByteString
    /// How the guest knows the disk: at most 20 characters.
    package var serial: String

    package static let sectorBytes = 4096

    package init(file: ByteString, log: ByteString, serial: String) {
        (self.file, self.log, self.serial) = (file, log, serial)
    }
}
