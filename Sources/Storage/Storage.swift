import Bytes

/// One directory of files: the seam through which the engine touches storage, and nothing else does.
///
/// What is promised, and what is not:
/// - Nothing is durable when a call returns, except what `StorageFile.sync` and `syncDirectory` say. Until then a crash
///   may keep any part of a write, in any order, and any of the names that were created, renamed or unlinked.
/// - `StorageFile.sync` makes the data and the length of one file durable, not its name. `syncDirectory` makes names
///   durable, not what they stand for.
/// - A call that throws may have taken effect wholly, partly or not at all.
/// - After a `sync` that threw, what it should have made durable may never become so, even if a later `sync` returns:
///   only writing the bytes again gives a later `sync` something to promise. (Rebello et al., "Can Applications Recover
///   from fsync Failures?", USENIX ATC 2020.)
///
/// Names are bytes: one to 255 of them, without `/` and NUL, and neither `.` nor `..`. Anything else is refused with
/// `StorageError.invalidName` before storage is touched.
///
/// Threads: every call is safe from many threads at once. Calls on names are atomic to each other. Calls on a file that
/// touch different bytes do not disturb each other; a read beside a write of the same bytes may see a mixture.
public protocol Storage: Sendable {
    /// Opens an existing file for reading and writing. A symbolic link is refused (ELOOP).
    func open(_ name: ByteString) throws(StorageError) -> any StorageFile

    /// Opens an existing file for reading alone: it works on storage that may not be written.
    func openForReading(_ name: ByteString) throws(StorageError) -> any StorageFile

    /// Creates an empty file, and refuses to if the name exists (EEXIST).
    func create(_ name: ByteString) throws(StorageError) -> any StorageFile

    /// Every name in the directory, in no particular order.
    func list() throws(StorageError) -> [ByteString]

    /// Gives the file `from` the name `to`, which stops meaning what it meant. There is no moment without a file `to`
    /// if there was one before.
    func rename(_ from: ByteString, to: ByteString) throws(StorageError)

    /// Removes a name. Files open under it stay usable.
    func unlink(_ name: ByteString) throws(StorageError)

    /// Makes every earlier create, rename and unlink durable.
    func syncDirectory() throws(StorageError)

    /// Takes the directory for one owner. Throws `StorageError.directoryLocked` while another has it, in this process
    /// or in any other. A crashed owner leaves nothing behind.
    func lockDirectory() throws(StorageError) -> any DirectoryLock
}

/// The right to be the only writer in a directory. It ends with `release`, with the last reference or with the process.
public protocol DirectoryLock: AnyObject, Sendable {
    /// Gives the directory back. Calling it again does nothing.
    func release()
}
