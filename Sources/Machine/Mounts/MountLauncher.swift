import Bytes
import CPlatform
import Glibc
import Storage
import Targets

/// Starts a process in the background that serves a mount, and waits until the mount is ready.
///
/// It is this program again, in a session of its own, so that it outlives the terminal; its standard output and error go
/// to the log of its directory, and the pipe at its descriptor 3 is how it says that it is ready, or why it is not.
package enum MountLauncher {
    /// Where the process finds the pipe.
    package static let reportDescriptor: Int32 = 3
    private static let readyWord = "ready\n"

    /// Runs this program with `arguments`. Returns the process's id once the mount is ready.
    ///
    /// - Throws: what the process said when it could not mount. Nothing is left of it then.
    @discardableResult
    package static func start(_ arguments: [String], _ directory: ServiceDirectory) throws -> Int32 {
        // Until the other process has put its name on the directory, it is this one's.
        try withExtendedLifetime(directory) { try start(arguments, in: directory) }
    }

    private static func start(_ arguments: [String], in directory: ServiceDirectory) throws -> Int32 {
        var (reading, writing): (Int32, Int32) = (-1, -1)
        guard faultline_pipe(&reading, &writing) == 0 else {
            throw MountServiceError.system(call: "pipe", path: directory.path, errno: errno)
        }
        defer { close(reading) }
        let child: pid_t
        do {
            defer { close(writing) }
            child = try spawn(arguments, directory, report: writing)
        }
        let report = try readAll(reading)
        if report == readyWord { return child }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        let log = (try? RunFiles.read(directory.log)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        try directory.remove()
        let words = [report, log].map { $0.trimmingNewlines }.filter { !$0.isEmpty }
        throw MountServiceError.notReady(
            words.isEmpty
                ? "the process that should serve the mount ended without a word" : words.joined(separator: "\n"))
    }

    /// Tells who waits that the mount is ready (nil), or why it is not.
    package static func report(_ problem: String?, to descriptor: Int32) {
        let text = Array((problem ?? readyWord).utf8)
        // Nobody may be waiting any more; that changes nothing for the mount.
        _ = text.withUnsafeBytes { faultline_write_no_signal(descriptor, $0.baseAddress, $0.count) }
        close(descriptor)
    }

    private static func spawn(_ arguments: [String], _ directory: ServiceDirectory, report: Int32) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        let log = try OutputDescriptor.append(directory.log).descriptor
        defer { close(log) }
        posix_spawn_file_actions_adddup2(&actions, log, 1)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        posix_spawn_file_actions_adddup2(&actions, report, reportDescriptor)
        // Whatever else the caller had open, a lock or the other end of a pipe, must not live as long as the mount.
        let detached = faultline_detach_on_spawn(&actions, reportDescriptor + 1)
        guard detached == 0 else {
            throw MountServiceError.system(call: "posix_spawn_file_actions", path: directory.path, errno: detached)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | 0x80  // POSIX_SPAWN_SETSID
        posix_spawnattr_setflags(&attributes, Int16(flags))
        var words: [UnsafeMutablePointer<CChar>?] = (["faultline"] + arguments).map { (word: String) in strdup(word) }
        words.append(nil)
        defer { for word in words { free(word) } }
        var child = pid_t()
        // It belongs to nobody, so that no Faultline takes it for what a target left behind.
        var environment = inheritedEnvironment() + [SpawnMark.nobody.withCString { strdup($0) }, nil]
        defer { free(environment[environment.count - 2]) }
        let error = posix_spawn(&child, "/proc/self/exe", &actions, &attributes, &words, &environment)
        guard error == 0 else {
            throw MountServiceError.system(call: "posix_spawn", path: "/proc/self/exe", errno: error)
        }
        return child
    }

    /// Our environment without what says who started us.
    private static func inheritedEnvironment() -> [UnsafeMutablePointer<CChar>?] {
        var lines: [UnsafeMutablePointer<CChar>?] = []
        var place = environ
        let name = SpawnMark.nobody.bytes.prefix { $0 != UInt8(ascii: "=") }
        while let line = place.pointee {
            let isMark = name.enumerated().allSatisfy { CChar(bitPattern: $1) == line[$0] } && line[name.count] == 0x3D
            if !isMark { lines.append(line) }
            place += 1
        }
        return lines
    }

    private static func readAll(_ descriptor: Int32) throws -> String {
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return String(decoding: text, as: UTF8.self) }
            text += buffer[..<count]
        }
    }
}

extension String {
    fileprivate var trimmingNewlines: String {
        var text = self[...]
        while text.last == "\n" { text.removeLast() }
        return String(text)
    }
}
