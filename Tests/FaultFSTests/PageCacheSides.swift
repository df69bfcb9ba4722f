import Bytes
import CPlatform
import Glibc
import Model
import Platform
import Testing

@testable import FaultFS
@testable import Storage

/// An implementation that uses `PageCache` for a file `f`, with descriptors and rules.
protocol PageCacheSide {
    /// Opens another descriptor.
    mutating func open() throws
    var descriptorCount: Int { get }
    /// Each call returns its result as text: byte count and checksum, or the errno.
    func write(_ descriptor: Int, _ bytes: [UInt8], at offset: UInt64) -> String
    func read(_ descriptor: Int, _ count: Int, at offset: UInt64) -> String
    func truncate(_ descriptor: Int, to size: UInt64) -> String
    func preallocate(_ descriptor: Int, at offset: UInt64, _ count: UInt64) -> String
    func sync(_ descriptor: Int) -> String
    /// Drops clean pages, as under memory pressure.
    func evict() throws
    /// The bytes on disk.
    func stored() throws -> [UInt8]
    var base: Tree { get }
    var events: [TraceEvent] { get }
    var payloads: any PayloadStore { get }
}

extension PageCacheSide {
    /// The file's content in a crash state of now.
    func left(_ profile: Profile, _ choice: Choice) throws -> [UInt8] {
        var pending = PendingSet(profile: profile, base: base)
        for event in events { pending.add(event) }
        let tree = pending.tree(pending.survivors(choice))
        guard let id = tree.nodes[.root]?.entries["f"], let node = tree.nodes[id] else { return [] }
        var bytes = [UInt8](repeating: 0, count: Int(node.sizeBytes))
        for extent in node.content.slice(0..<node.sizeBytes) {
            let range = Int(extent.offsetBytes)..<Int(extent.endBytes)
            bytes.replaceSubrange(range, with: try payloads.bytes(of: extent.data))
        }
        return bytes
    }
}

/// `FaultyStorage` over memory.
struct InProcessSide: PageCacheSide {
    private let memory: MemoryStorage
    private let recording: RecordingStorage
    private let storage: FaultyStorage<RuleSet>
    private var files: [any StorageFile] = []

    init(_ content: [UInt8], _ rules: [Rule], seed: UInt64) throws {
        memory = try MemoryStorage(contents: ["f": content])
        recording = try RecordingStorage(memory)
        storage = FaultyStorage(recording, RuleSet(rules, seed: seed)) { _ in }
    }

    mutating func open() throws { files.append(try storage.open("f")) }
    var descriptorCount: Int { files.count }

    private func answer(_ body: () throws(StorageError) -> String) -> String {
        do throws(StorageError) { return try body() } catch { return "errno \(error.errno)" }
    }

    func write(_ descriptor: Int, _ bytes: [UInt8], at offset: UInt64) -> String {
        answer { () throws(StorageError) in
            try files[descriptor].write(bytes, at: offset)
            return "done"
        }
    }

    func read(_ descriptor: Int, _ count: Int, at offset: UInt64) -> String {
        answer { () throws(StorageError) in
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
            defer { buffer.deallocate() }
            let got = try files[descriptor].read(into: buffer, at: offset)
            return "\(got) \(CRC32C.checksum(Array(buffer[..<got])))"
        }
    }

    func truncate(_ descriptor: Int, to size: UInt64) -> String {
        answer { () throws(StorageError) in
            try files[descriptor].truncate(to: size)
            return "done"
        }
    }

    func preallocate(_ descriptor: Int, at offset: UInt64, _ count: UInt64) -> String {
        answer { () throws(StorageError) in
            try files[descriptor].preallocate(at: offset, countBytes: count)
            return "done"
        }
    }

    func sync(_ descriptor: Int) -> String {
        answer { () throws(StorageError) in
            try files[descriptor].sync()
            return "done"
        }
    }

    func evict() throws { try storage.dropCleanPages() }

    func stored() throws -> [UInt8] {
        let bytes = try memory.contents()["f"] ?? []
        return storage.state.withLock { $0.nodes["f"] }?.content.withLock { $0.onDisk(bytes) } ?? bytes
    }

    var base: Tree { recording.base }
    var events: [TraceEvent] { recording.events }
    var payloads: any PayloadStore { recording.payloads }
}

/// The file system of a FaultFS mount, called directly as its workers do. Nothing is mounted.
final class MountSide: PageCacheSide {
    private let directory: String
    private let mount: FaultMount
    private let fileSystem: FileSystem
    private let state: StateDirectory
    private let trace = MemoryTrace()
    private let file: UInt
    private var handles: [UInt64] = []
    private let caller = FileSystem.Caller(process: getpid(), owner: geteuid(), group: getegid())

    init(_ content: [UInt8], _ rules: [Rule], seed: UInt64) throws {
        var template = Array("/tmp/faultfs-sides-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno(errno) }
        directory = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        let (backing, mountPoint) = (directory + "/backing", directory + "/mnt")
        mkdir(backing, 0o700)
        mkdir(mountPoint, 0o700)
        let number = creat(backing + "/f", 0o600)
        _ = content.withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) }
        close(number)
        var options = MountOptions()
        options.trace = trace
        options.rules = rules
        options.seed = seed
        mount = try FaultMount(backing: ByteString(backing), mountPoint: ByteString(mountPoint), options: options)
        state = try StateDirectory(in: ByteString(backing))
        let oracle = SharedDescriptor(adopting: faultline_memfd("oracle"))
        fileSystem = try mount.makeFileSystem(state, oracle, 100)
        guard let found = try fileSystem.lookUp(1, "f", caller) else { throw Errno(ENOENT) }
        file = found.id
    }

    deinit {
        for handle in handles { fileSystem.handles.release(handle) }
        try? state.remove()
        _ = Shell.run("rm -rf '\(directory)'")
    }

    func open() throws { handles.append(fileSystem.handles.hold(try fileSystem.open(file, flags: O_RDWR, caller))) }
    var descriptorCount: Int { handles.count }

    private func answer(_ body: () throws(Errno) -> String) -> String {
        do throws(Errno) { return try body() } catch { return "errno \(error.code)" }
    }

    /// Writes all bytes, in several calls after a short write.
    func write(_ descriptor: Int, _ bytes: [UInt8], at offset: UInt64) -> String {
        answer { () throws(Errno) in
            var done = 0
            while done < bytes.count {
                let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count - done, alignment: 1)
                defer { buffer.deallocate() }
                buffer.copyBytes(from: bytes[done...])
                done += try fileSystem.write(
                    handles[descriptor], UnsafeRawBufferPointer(buffer), offset: Int64(offset) + Int64(done), caller)
            }
            return "done"
        }
    }

    func read(_ descriptor: Int, _ count: Int, at offset: UInt64) -> String {
        answer { () throws(Errno) in
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
            defer { buffer.deallocate() }
            let got = try fileSystem.read(handles[descriptor], buffer, offset: Int64(offset), caller)
            return "\(got) \(CRC32C.checksum(Array(buffer[..<got])))"
        }
    }

    func truncate(_ descriptor: Int, to size: UInt64) -> String {
        answer { () throws(Errno) in
            let changes = AttributeChanges(sizeBytes: Int64(size))
            _ = try fileSystem.setAttributes(file, changes, handle: handles[descriptor], caller)
            return "done"
        }
    }

    func preallocate(_ descriptor: Int, at offset: UInt64, _ count: UInt64) -> String {
        answer { () throws(Errno) in
            try fileSystem.allocate(
                handles[descriptor], mode: 0, offset: Int64(offset), length: Int64(count), caller)
            return "done"
        }
    }

    func sync(_ descriptor: Int) -> String {
        answer { () throws(Errno) in
            try fileSystem.sync(handles[descriptor], isData: true, caller)
            return "done"
        }
    }

    func evict() { fileSystem.pageCaches.evictAll() }

    func stored() throws -> [UInt8] {
        let descriptor = SharedDescriptor(adopting: Glibc.open(directory + "/backing/f", O_RDONLY | O_CLOEXEC))
        let size = try fileSystem.size(of: descriptor)
        var bytes = [UInt8](repeating: 0, count: Int(size))
        let count = bytes.withUnsafeMutableBytes { pread(descriptor.rawValue, $0.baseAddress, $0.count, 0) }
        return count == bytes.count ? bytes : []
    }

    var base: Tree { mount.base }
    var events: [TraceEvent] { trace.events() }
    var payloads: any PayloadStore { fileSystem.tracker!.payloads }
}
