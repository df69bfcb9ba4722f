import Bytes
import Glibc
import Platform

/// Reads processes from /proc. A result may be out of date as soon as it is returned, except for our own unreaped
/// children, whose ids cannot be reused.
package enum ProcessTable {
    /// The children of all threads of `process`, including zombies; none if it does not exist.
    static func children(of process: pid_t) throws(TargetError) -> [pid_t] {
        var children: [pid_t] = []
        for thread in (try? numericEntries("/proc/\(process)/task")) ?? [] {
            guard let list = contents("/proc/\(process)/task/\(thread)/children") else {
                // The thread has ended, or the kernel has no CONFIG_PROC_CHILDREN.
                if access("/proc/thread-self/children", R_OK) == 0 { continue }
                return try numericEntries("/proc").filter { parent(of: $0) == process }
            }
            for number in list.split(separator: UInt8(ascii: " ")) { children.append(decimal(number)) }
        }
        return children
    }

    /// All current descendants of `process`.
    static func descendants(of process: pid_t) throws(TargetError) -> [pid_t] {
        var all: [pid_t] = []
        var pending = [process]
        while let next = pending.popLast() {
            let children = try children(of: next)
            all += children
            pending += children
        }
        return all
    }

    /// The value of a variable in the process's initial environment; nil if it is not set, the process has overwritten
    /// it, or the process is a zombie.
    static func environmentValue(_ name: ByteString, of process: pid_t) -> ByteString? {
        let prefix = name.bytes + [UInt8(ascii: "=")]
        var environment = contents("/proc/\(process)/environ")
        // During execve(2) a process briefly has an address space without an environment.
        for _ in 0..<1000 where environment?.isEmpty == true && isExecuting(process) {
            usleep(100)
            environment = contents("/proc/\(process)/environ")
        }
        return environment?
            .split(separator: 0)
            .first { $0.starts(with: prefix) }
            .map { ByteString($0.dropFirst(prefix.count)) }
    }

    static func everyProcess() throws(TargetError) -> [pid_t] { try numericEntries("/proc") }

    /// The start time in clock ticks since boot (proc(5), stat, field 22); nil if the process does not exist.
    package static func startTicks(of process: pid_t) -> UInt64? {
        startTicks(in: "/proc/\(process)/stat")
    }

    private static func startTicks(in file: String) -> UInt64? {
        afterName(in: file).map(fields).flatMap { $0.count > 19 ? $0[19] : nil }
    }

    /// The start time of this process, even if /proc belongs to another pid namespace.
    package static var ownStartTicks: UInt64? { startTicks(in: "/proc/self/stat") }

    static func parent(of process: pid_t) -> pid_t? {
        statFields(of: process).flatMap { $0.count > 1 ? pid_t($0[1]) : nil }
    }

    /// Whether the process has ended or is ending: it is gone, a zombie, or has a pending SIGKILL.
    package static func isEnding(_ process: pid_t) -> Bool {
        guard let rest = afterName(in: "/proc/\(process)/stat") else { return true }
        if rest.first == UInt8(ascii: "Z") || rest.first == UInt8(ascii: "X") { return true }
        let killed: UInt64 = 1 << UInt64(SIGKILL - 1)
        return ["SigPnd:", "ShdPnd:"].contains { key in
            guard let value = line(key, of: "/proc/\(process)/status") else { return false }
            let digits = String(decoding: value, as: UTF8.self).filter { !$0.isWhitespace }
            return (UInt64(digits, radix: 16) ?? 0) & killed != 0
        }
    }

    /// Whether the process, with all its threads, has ended and was not reaped yet.
    static func isZombie(_ process: pid_t) -> Bool {
        afterName(in: "/proc/\(process)/stat")?.first == UInt8(ascii: "Z")
            && (try? numericEntries("/proc/\(process)/task"))?.count == 1
    }

    /// The process's command name (comm), at most 15 bytes.
    static func name(of process: pid_t) -> ByteString? {
        contents("/proc/\(process)/comm").map { ByteString($0.prefix { $0 != UInt8(ascii: "\n") }) }
    }

    /// The process's real user id, in our user namespace.
    static func user(of process: pid_t) -> uid_t? {
        line("Uid:", of: "/proc/\(process)/status")?.split { $0 == 0x09 || $0 == 0x20 }.first.map(decimal)
    }

    /// The process's soft limit RLIMIT_LOCKS; nil for unlimited.
    static func lockLimit(of process: pid_t) -> UInt64? {
        guard let words = line("Max file locks", of: "/proc/\(process)/limits")?.split(separator: 0x20),
            let soft = words.first, soft.first.map({ (48...57).contains($0) }) == true
        else { return nil }
        return decimal(soft)
    }

    /// The id of our pid namespace.
    package static let ownNamespace: UInt32? = {
        var target = [UInt8](repeating: 0, count: 64)
        let count = target.withUnsafeMutableBytes { readlink("/proc/self/ns/pid", $0.baseAddress!, $0.count) }
        let digits = target.prefix(max(0, count)).filter { (48...57).contains($0) }
        return UInt32(String(decoding: digits, as: UTF8.self))
    }()

    /// Whether /proc shows the pids of our own pid namespace.
    package static var isOfOwnNamespace: Bool {
        var target = [UInt8](repeating: 0, count: 32)
        let count = target.withUnsafeMutableBytes { readlink("/proc/self", $0.baseAddress!, $0.count) }
        return String(decoding: target.prefix(max(0, count)), as: UTF8.self) == String(getpid())
    }

    /// The rest of the line that starts with `key` in a file of /proc.
    private static func line(_ key: String, of path: String) -> ArraySlice<UInt8>? {
        let key = Array(key.utf8)
        return contents(path)?.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: key) }?
            .dropFirst(key.count)
    }

    /// Whether a process is within execve(2): it has memory (vsize, field 23) but no environment yet (env_start, field
    /// 50).
    private static func isExecuting(_ process: pid_t) -> Bool {
        statFields(of: process).map { $0.count > 47 && $0[20] != 0 && $0[47] == 0 } ?? false
    }

    /// The fields of stat after the command name: state (a letter, parsed as 0), parent, process group, …
    private static func statFields(of process: pid_t) -> [UInt64]? {
        afterName(in: "/proc/\(process)/stat").map(fields)
    }

    private static func fields(_ bytes: ArraySlice<UInt8>) -> [UInt64] {
        bytes.split(separator: UInt8(ascii: " ")).map(decimal)
    }

    private static func afterName(in file: String) -> ArraySlice<UInt8>? {
        // The name may contain any characters, so search for the last parenthesis.
        guard let stat = contents(file), let close = stat.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        return stat[(close + 1)...].drop { $0 == UInt8(ascii: " ") }
    }

    /// The number of numeric entries of a directory of /proc; 0 if it cannot be read.
    static func entryCount(_ folder: String) -> Int {
        guard let stream = opendir(folder) else { return 0 }
        defer { closedir(stream) }
        var count = 0
        while let entry = readdir(stream) {
            let name = UnsafeRawPointer(entry) + MemoryLayout<dirent>.offset(of: \.d_name)!
            if (48...57).contains(name.load(as: UInt8.self)) { count += 1 }
        }
        return count
    }

    private static func numericEntries(_ folder: String) throws(TargetError) -> [pid_t] {
        guard let stream = opendir(folder) else { throw .system("opendir", ByteString(folder)) }
        defer { closedir(stream) }
        var numbers: [pid_t] = []
        while let entry = readdir(stream) {
            // A dirent is only as long as its name: do not copy the whole structure.
            let name = UnsafeRawPointer(entry) + MemoryLayout<dirent>.offset(of: \.d_name)!
            let number: pid_t = decimal(
                UnsafeRawBufferPointer(start: name, count: strlen(name.assumingMemoryBound(to: CChar.self))))
            if number > 0 { numbers.append(number) }
        }
        return numbers
    }

    /// The decimal number at the start of `bytes`; 0 if there is none.
    private static func decimal<Number: FixedWidthInteger>(_ bytes: some Sequence<UInt8>) -> Number {
        var value: Number = 0
        for byte in bytes {
            guard (48...57).contains(byte) else { break }
            value = value &* 10 &+ Number(byte - 48)
        }
        return value
    }

    /// The content of a file of /proc; nil if it cannot be read (the process has ended or belongs to another user).
    static func contents(_ path: String) -> [UInt8]? {
        guard let file = try? SharedDescriptor.open(ByteString(path), O_RDONLY) else { return nil }
        var bytes: [UInt8] = []
        while true {
            let chunk = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
                count = max(0, read(file.rawValue, buffer.baseAddress, 4096))
            }
            if chunk.isEmpty { return bytes }
            bytes += chunk
        }
    }
}
