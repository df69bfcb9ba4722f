import Bytes

/// A directory of files. It is the engine's only access to storage.
///
/// Guarantees:
/// - Only `StorageFile.sync` and `syncDirectory` make anything durable. Until then a crash may keep any part of a
///   write, in any order, and any subset of the creates, renames and unlinks.
/// - `StorageFile.sync` makes the data and length of one file durable, not its name. `syncDirectory` makes names
///   durable, not file contents.
/// - A call that throws may have taken full, partial or no effect.
/// - After a failed `sync`, its data may never become durable, even if a later `sync` succeeds. Only data that is
///   written again is covered by a later `sync`. (Rebello et al., "Can Applications Recover from fsync Failures?",
///   USENIX ATC 2020.)
///
/// A name has 1 to 255 bytes, without `/` and NUL, and is neither `.` nor `..`. For any other name a call throws
/// `StorageError.invalidName` without an effect.
///
/// Threads: all calls are thread safe. Calls on names are atomic. Calls on different bytes of a file are independent; a
/// read concurrent with a write of the same bytes may see a mixture.
public protocol Storage: Sendable {
    /// Opens an existing file for reading and writing. Fails for a symbolic link (ELOOP).
    func open(_ name: ByteString) throws(StorageError) -> any StorageFile

    /// Opens an existing file for reading. Works on read-only storage.
    func openForReading(_ name: ByteString) throws(StorageError) -> any StorageFile

    /// Creates an empty file. Fails when the name exists (EEXIST).
    func create(_ name: ByteString) throws(StorageError) -> any StorageFile

    /// All names in the directory, in no particular order.
    func list() throws(StorageError) -> [ByteString]

    /// Renames `from` to `to`, replacing `to` atomically if it exists.
    func rename(_ from: ByteString, to: ByteString) throws(StorageError)

    /// Removes a name. Open files stay usable.
    func unlink(_ name: ByteString) throws(StorageError)

    /// Makes every earlier create, rename and unlink durable.
    func syncDirectory() throws(StorageError)

    /// Locks the directory. Throws `StorageError.directoryLocked` while another owner, in this or another process,
    /// holds the lock. The lock ends with its process, even on a crash.
    func lockDirectory() throws(StorageError) -> any DirectoryLock
}

/// An exclusive lock on a directory. It ends with `release`, with the last reference or with the process.
public protocol DirectoryLock: AnyObject, Sendable {
    /// Releases the lock. Further calls do nothing.
    func release()
}
