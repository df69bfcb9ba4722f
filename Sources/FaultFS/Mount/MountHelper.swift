import Bytes
import CPlatform
import Glibc
import Platform

/// fusermount3(1), which is setuid and mounts for ordinary users. It hands the open /dev/fuse back over a socket
/// (SCM_RIGHTS), whose number it finds in the environment.
struct MountHelper {
    private let program: ByteString

    /// - Parameter program: its path, or its name in PATH.
    init(_ program: ByteString) { self.program = program }

    /// Mounts and returns the open /dev/fuse.
    ///
    /// - Parameter said: receives the helper's standard error.
    func mount(_ mountPoint: ByteString, options: String, said: inout String) throws(Errno) -> Int32 {
        var ends: [Int32] = [-1, -1]
        try Errno.retrying {
            socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends)
        }
        let (ours, theirs) = (SharedDescriptor(adopting: ends[0]), SharedDescriptor(adopting: ends[1]))
        let errors = try SharedDescriptor.pipe()
        let process = try start(
            ["-o", ByteString(options), "--", mountPoint], errors: errors.write.rawValue, socket: theirs.rawValue)
        theirs.close()
        errors.write.close()
        let device = faultline_receive_descriptor(ours.rawValue)
        said = Self.contents(of: errors.read)
        let code = try process.wait()
        if code != 0, device >= 0 { close(device) }
        guard code == 0 else { throw Errno(device < 0 ? -device : EPERM) }
        return try Errno.check(device)
    }

    /// False when it could not.
    func unmount(_ mountPoint: ByteString, isLazy: Bool) -> Bool {
        do throws(Errno) {
            let null = try SharedDescriptor.open("/dev/null", O_RDWR)
            let process = try start(
                ["-u", isLazy ? "-z" : "-q", "--", mountPoint], errors: null.rawValue, socket: -1)
            return try process.wait() == 0
        } catch {
            return false
        }
    }

    private func start(_ arguments: [ByteString], errors: Int32, socket: Int32) throws(Errno) -> IndependentProcess {
        let path: ByteString = "/usr/sbin:/usr/bin:/sbin:/bin"
        let own = getenv("PATH").map { ByteString(UnsafeRawBufferPointer(start: $0, count: strlen($0))) } ?? path
        guard let executable = IndependentProcess.find(program, in: own) else { throw Errno(ENOENT) }
        let null = try SharedDescriptor.open("/dev/null", O_RDWR)
        let streams = IndependentProcess.Streams(
            input: null.rawValue, output: null.rawValue, errors: errors, third: socket)
        return try IndependentProcess(
            executable, arguments: [program] + arguments,
            environment: ["_FUSE_COMMFD=3", ByteString(Array("PATH=".utf8) + path.bytes)], streams)
    }

    private static func contents(of pipe: SharedDescriptor) -> String {
        var (text, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 1024))
        while true {
            let count = read(pipe.rawValue, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            text += buffer[..<count]
        }
        while text.last == UInt8(ascii: "\n") { text.removeLast() }
        return String(decoding: text, as: UTF8.self)
    }
}
