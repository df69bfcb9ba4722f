import Glibc
import Platform

/// Runs scripts in child processes: the test process must not access a mount that it serves.
enum Shell {
    struct Result {
        var status: Int32
        /// Standard output and standard error together.
        var output: String
    }

    /// Runs `script` with sh. The status is the exit code, or 128 and the signal.
    static func run(_ script: String) -> Result {
        // Close-on-exec: a process that another test leaves in the background must not keep the pipe open.
        let ends: (read: SharedDescriptor, write: SharedDescriptor)
        do throws(Errno) { ends = try SharedDescriptor.pipe() } catch {
            return Result(status: -1, output: "pipe: errno \(error.code)")
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends.write.rawValue, 1)
        posix_spawn_file_actions_adddup2(&actions, ends.write.rawValue, 2)
        // Threads of the test runner block signals; the child must not inherit that.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var arguments: [UnsafeMutablePointer<CChar>?] =
            ["sh", "-c", script].map { (word: String) in strdup(word) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var child = pid_t()
        let error = posix_spawn(&child, "/bin/sh", &actions, &attributes, &arguments, environ)
        ends.write.close()
        defer { ends.read.close() }
        guard error == 0 else { return Result(status: -1, output: "posix_spawn: errno \(error)") }
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(ends.read.rawValue, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { break }
            output += buffer[..<count]
        }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
        let signal = status & 0x7f
        return Result(
            status: signal == 0 ? (status >> 8) & 0xff : 128 + signal, output: String(decoding: output, as: UTF8.self))
    }
}
