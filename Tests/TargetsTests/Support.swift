import Bytes
import Glibc
import Platform
import Synchronization

@testable import Targets

func shell(_ script: String) -> Command { Command(["sh", "-c", ByteString(script)]) }

/// Whether a process exists and is not a zombie.
func isAlive(_ process: Int32) -> Bool {
    var bytes = [UInt8](repeating: 0, count: 512)
    let file = open("/proc/\(process)/stat", O_RDONLY)
    guard file >= 0 else { return false }
    defer { close(file) }
    let count = max(0, read(file, &bytes, bytes.count))
    guard let name = bytes[..<count].lastIndex(of: UInt8(ascii: ")")) else { return false }
    return bytes[name + 2] != UInt8(ascii: "Z")
}

func numbers(_ bytes: [UInt8]?) -> [Int32] {
    (bytes ?? []).split(separator: UInt8(ascii: "\n")).compactMap { Int32(String(decoding: $0, as: UTF8.self)) }
}

/// Reads the whole standard output of a process.
func readAll(_ process: ChildProcess) throws -> [UInt8] {
    var all: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    while let output = process.output {
        let count = read(output.rawValue, &chunk, chunk.count)
        if count <= 0 { break }
        all += chunk[..<count]
    }
    return all
}

func readFile(_ path: ByteString) throws -> [UInt8] {
    let descriptor = try SharedDescriptor.open(path, O_RDONLY)
    var all: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    while true {
        let count = Glibc.read(descriptor.rawValue, &chunk, chunk.count)
        if count <= 0 { return all }
        all += chunk[..<count]
    }
}

final class Box<Value: Sendable>: Sendable {
    private let content = Mutex<Value?>(nil)
    var value: Value? {
        get { content.withLock { $0 } }
        set { content.withLock { $0 = newValue } }
    }
}

/// Runs `body` on a new thread and waits for the end of the thread.
func onThread(_ body: @escaping @Sendable () -> Void) {
    final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    pthread_create(
        &thread, nil,
        { context in
            Unmanaged<Work>.fromOpaque(context!).takeRetainedValue().body()
            return nil
        }, Unmanaged.passRetained(Work(body)).toOpaque())
    pthread_join(thread, nil)
}

/// A temporary directory, removed with its owner.
final class TemporaryFolder: Sendable {
    let path: ByteString

    init(in parent: String = "/tmp") throws {
        var template = Array("\(parent)/faultline-targets-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw TargetError.system("mkdtemp") }
        path = ByteString(template.dropLast().map { UInt8(bitPattern: $0) })
    }

    deinit { _ = try? ProcessRunner.run(Command(["rm", "-rf", "--", path]), timeoutMilliseconds: 20_000) }

    func file(_ name: String) -> ByteString { ByteString(path.bytes + Array("/\(name)".utf8)) }

    func folder(_ name: String) -> ByteString {
        let path = file(name)
        _ = path.withCString { mkdir($0, 0o755) }
        return path
    }

    func read(_ name: String) throws -> [UInt8] { try readFile(file(name)) }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        try SharedDescriptor.open(file(name), O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644).writeAll(bytes)
    }

    /// The first non-nil result of `body`, within 20 s.
    func eventually<Value>(_ body: () throws -> Value?) throws -> Value? {
        let deadline = Deadline(afterMilliseconds: 20_000)
        while !deadline.hasPassed {
            if let value = try body() { return value }
            usleep(2000)
        }
        return nil
    }
}
