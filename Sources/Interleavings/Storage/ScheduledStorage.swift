import Bytes
import Platform
import Schedules
import Storage

/// A storage whose calls are steps. All changes and syncs are ordered both ways, because a crash between two of them shows
/// their order; calls that only read are ordered with the changes of the same file or of the directory.
final class ScheduledStorage: Storage {
    private let wrapped: any Storage
    /// Everything that a crash can show: changes, syncs and acknowledgements.
    let trace = ScheduledObject()
    private let directory = ScheduledObject()
    private let files = Guarded<[ByteString: ScheduledObject]>([:])

    init(_ wrapped: any Storage) { self.wrapped = wrapped }

    private func file(_ name: ByteString) -> ScheduledObject {
        files.withLock { files in
            if let known = files[name] { return known }
            let file = ScheduledObject()
            files[name] = file
            return file
        }
    }

    func open(_ name: ByteString) throws(StorageError) -> any StorageFile {
        try ScheduledObject.step("open \(name)", reading: [directory]) { () throws(StorageError) in
            ScheduledFile(try wrapped.open(name), name, file(name), trace)
        }
    }

    func openForReading(_ name: ByteString) throws(StorageError) -> any StorageFile {
        try ScheduledObject.step("open \(name) for reading", reading: [directory]) { () throws(StorageError) in
            ScheduledFile(try wrapped.openForReading(name), name, file(name), trace)
        }
    }

    func create(_ name: ByteString) throws(StorageError) -> any StorageFile {
        try ScheduledObject.step("create \(name)", writing: [trace, directory]) { () throws(StorageError) in
            ScheduledFile(try wrapped.create(name), name, file(name), trace)
        }
    }

    func list() throws(StorageError) -> [ByteString] {
        try ScheduledObject.step("list the directory", reading: [directory]) { () throws(StorageError) in
            // Sorted, so that equal schedules do equal steps.
            try wrapped.list().sorted()
        }
    }

    func rename(_ from: ByteString, to: ByteString) throws(StorageError) {
        try ScheduledObject.step("rename \(from) to \(to)", writing: [trace, directory]) { () throws(StorageError) in
            try wrapped.rename(from, to: to)
            files.withLock { $0[to] = $0.removeValue(forKey: from) }
        }
    }

    func unlink(_ name: ByteString) throws(StorageError) {
        try ScheduledObject.step("unlink \(name)", writing: [trace, directory]) { () throws(StorageError) in
            try wrapped.unlink(name)
            _ = files.withLock { $0.removeValue(forKey: name) }
        }
    }

    func syncDirectory() throws(StorageError) {
        try ScheduledObject.step("sync the directory", writing: [trace]) { () throws(StorageError) in
            try wrapped.syncDirectory()
        }
    }

    func lockDirectory() throws(StorageError) -> any DirectoryLock { try wrapped.lockDirectory() }
}

private final class ScheduledFile: StorageFile {
    private let wrapped: any StorageFile
    private let name: ByteString
    private let file: ScheduledObject
    private let trace: ScheduledObject

    init(_ wrapped: any StorageFile, _ name: ByteString, _ file: ScheduledObject, _ trace: ScheduledObject) {
        self.wrapped = wrapped
        self.name = name
        self.file = file
        self.trace = trace
    }

    private func change(
        _ title: @autoclosure () -> String, _ body: () throws(StorageError) -> Void
    ) throws(StorageError) {
        try ScheduledObject.step(title(), writing: [trace, file], body)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offsetBytes: UInt64) throws(StorageError) -> Int {
        try ScheduledObject.step("read \(name) at \(offsetBytes)", reading: [file]) { () throws(StorageError) in
            try wrapped.read(into: buffer, at: offsetBytes)
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offsetBytes: UInt64) throws(StorageError) {
        let end = offsetBytes + UInt64(bytes.count)
        try change("write \(name), bytes \(offsetBytes)–\(end - 1)") { () throws(StorageError) in
            try wrapped.write(bytes, at: offsetBytes)
        }
    }

    func truncate(to sizeBytes: UInt64) throws(StorageError) {
        try change("truncate \(name) to \(sizeBytes) bytes") { () throws(StorageError) in
            try wrapped.truncate(to: sizeBytes)
        }
    }

    func preallocate(at offsetBytes: UInt64, countBytes: UInt64) throws(StorageError) {
        try change("allocate \(name), \(countBytes) bytes") { () throws(StorageError) in
            try wrapped.preallocate(at: offsetBytes, countBytes: countBytes)
        }
    }

    func sync() throws(StorageError) {
        try change("sync \(name)") { () throws(StorageError) in try wrapped.sync() }
    }

    func length() throws(StorageError) -> UInt64 {
        try ScheduledObject.step("length of \(name)", reading: [file]) { () throws(StorageError) in
            try wrapped.length()
        }
    }

    var overwritesReservedSpace: Bool { wrapped.overwritesReservedSpace }
}
