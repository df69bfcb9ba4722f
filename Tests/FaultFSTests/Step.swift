import CPlatform
import Glibc

/// One system call with its arguments, for random workloads. Each open file has a slot.
enum Step: CustomStringConvertible {
    case open(slot: Int, path: String, flags: Int32, mode: mode_t)
    case close(slot: Int)
    case write(slot: Int, count: Int, fill: UInt8)
    case pwrite(slot: Int, offset: Int, count: Int, fill: UInt8)
    case pread(slot: Int, offset: Int, count: Int)
    case ftruncate(slot: Int, size: Int)
    case truncate(path: String, size: Int)
    case mkdir(path: String, mode: mode_t)
    case rmdir(path: String)
    case unlink(path: String)
    case rename(from: String, to: String, flags: UInt32)
    case link(from: String, to: String)
    case symlink(target: String, path: String)
    case readlink(path: String)
    case mkfifo(path: String)
    case chmod(path: String, mode: mode_t)
    case stat(path: String)
    case fstat(slot: Int)
    case list(path: String)
    case setAttribute(path: String, name: String, value: String)
    case attribute(path: String, name: String)
    case attributes(path: String)
    case removeAttribute(path: String, name: String)
    case fsync(slot: Int)
    case fdatasync(slot: Int)
    case fsyncDirectory(path: String)
    case fallocate(slot: Int, mode: Int32, offset: Int, count: Int)
    case seek(slot: Int, offset: Int, whence: Int32)
    case mapWrite(slot: Int, offset: Int, count: Int, fill: UInt8)
    case mapRead(slot: Int)
    case copy(from: Int, to: Int, count: Int)
    case setTimes(path: String, seconds: Int)

    var description: String {
        let mirror = Mirror(reflecting: self).children.first!
        let values = Mirror(reflecting: mirror.value).children.map { "\($0.label.map { $0 + ": " } ?? "")\($0.value)" }
        return "\(mirror.label!)(\(values.isEmpty ? "\(mirror.value)" : values.joined(separator: ", ")))"
    }
}

/// Runs steps in a directory and returns the result of each.
final class StepRunner {
    private let root: String
    private var slots = [Int32](repeating: -1, count: 4)

    init(root: String) { self.root = root }

    deinit { closeAll() }

    func closeAll() {
        for slot in slots.indices where slots[slot] >= 0 {
            Glibc.close(slots[slot])
            slots[slot] = -1
        }
    }

    /// The call's result: a value or an errno. It does not depend on the filesystem.
    func run(_ step: Step) -> String {
        switch step {
        case .open(let slot, let path, let flags, let mode):
            if slots[slot] >= 0 { Glibc.close(slots[slot]) }
            slots[slot] = Glibc.open(at(path), flags | O_CLOEXEC | O_NONBLOCK, mode)
            return slots[slot] >= 0 ? "opened" : "errno \(errno)"
        case .close(let slot):
            defer { slots[slot] = -1 }
            return result(Glibc.close(slots[slot]))
        case .write(let slot, let count, let fill):
            // Skips pipes: SIGPIPE would end this process, and the kernel handles them, not the mount.
            var attributes = Glibc.stat()
            if Glibc.fstat(slots[slot], &attributes) == 0, attributes.st_mode & S_IFMT == S_IFIFO { return "a pipe" }
            return result(Glibc.write(slots[slot], [UInt8](repeating: fill, count: count), count))
        case .pwrite(let slot, let offset, let count, let fill):
            return result(Glibc.pwrite(slots[slot], [UInt8](repeating: fill, count: count), count, off_t(offset)))
        case .pread(let slot, let offset, let count):
            var bytes = [UInt8](repeating: 0, count: count)
            let got = Glibc.pread(slots[slot], &bytes, count, off_t(offset))
            return got < 0 ? "errno \(errno)" : Self.digest(bytes[..<got])
        case .ftruncate(let slot, let size): return result(Glibc.ftruncate(slots[slot], off_t(size)))
        case .truncate(let path, let size): return result(Glibc.truncate(at(path), off_t(size)))
        case .mkdir(let path, let mode): return result(Glibc.mkdir(at(path), mode))
        case .rmdir(let path): return result(Glibc.rmdir(at(path)))
        case .unlink(let path): return result(Glibc.unlink(at(path)))
        case .rename(let from, let to, let flags):
            return negative(Int(faultline_rename_at(AT_FDCWD, at(from), AT_FDCWD, at(to), flags)))
        case .link(let from, let to): return result(Glibc.link(at(from), at(to)))
        case .symlink(let target, let path): return result(Glibc.symlink(target, at(path)))
        case .readlink(let path):
            var buffer = [CChar](repeating: 0, count: 256)
            let count = Glibc.readlink(at(path), &buffer, 255)
            return count < 0 ? "errno \(errno)" : "\(buffer[..<count])"
        case .mkfifo(let path): return result(Glibc.mkfifo(at(path), 0o640))
        case .chmod(let path, let mode): return result(Glibc.chmod(at(path), mode))
        case .stat(let path):
            var attributes = Glibc.stat()
            return lstat(at(path), &attributes) == 0 ? Self.words(attributes) : "errno \(errno)"
        case .fstat(let slot):
            var attributes = Glibc.stat()
            return Glibc.fstat(slots[slot], &attributes) == 0 ? Self.words(attributes) : "errno \(errno)"
        case .list(let path): return list(path)
        default: return runRare(step)
        }
    }

    private func runRare(_ step: Step) -> String {
        switch step {
        case .setAttribute(let path, let name, let value):
            return result(setxattr(at(path), name, value, value.utf8.count, 0))
        case .attribute(let path, let name):
            var buffer = [UInt8](repeating: 0, count: 64)
            let count = getxattr(at(path), name, &buffer, buffer.count)
            return count < 0 ? "errno \(errno)" : "\(buffer[..<count])"
        case .attributes(let path):
            var buffer = [CChar](repeating: 0, count: 512)
            let count = listxattr(at(path), &buffer, buffer.count)
            if count < 0 { return "errno \(errno)" }
            return buffer[..<count].split(separator: 0).map { "\(Array($0))" }.sorted().joined(separator: " ")
        case .removeAttribute(let path, let name): return result(removexattr(at(path), name))
        case .fsync(let slot): return result(Glibc.fsync(slots[slot]))
        case .fdatasync(let slot): return result(Glibc.fdatasync(slots[slot]))
        case .fsyncDirectory(let path):
            let directory = Glibc.open(at(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            if directory < 0 { return "errno \(errno)" }
            defer { Glibc.close(directory) }
            return result(Glibc.fsync(directory))
        case .fallocate(let slot, let mode, let offset, let count):
            return negative(Int(faultline_allocate(slots[slot], mode, off_t(offset), off_t(count))))
        case .seek(let slot, let offset, let whence):
            // Holes of a directory are undefined.
            var attributes = Glibc.stat()
            guard Glibc.fstat(slots[slot], &attributes) == 0, attributes.st_mode & S_IFMT == S_IFREG else {
                return "no regular file"
            }
            return negative(Int(faultline_lseek(slots[slot], off_t(offset), whence)))
        case .mapWrite(let slot, let offset, let count, let fill): return mapWrite(slots[slot], offset, count, fill)
        case .mapRead(let slot): return mapRead(slots[slot])
        case .copy(let from, let to, let count):
            return negative(faultline_copy_range(slots[from], slots[to], count))
        case .setTimes(let path, let seconds):
            let time = timespec(tv_sec: seconds, tv_nsec: 123_456_789)
            if utimensat(AT_FDCWD, at(path), [time, time], AT_SYMLINK_NOFOLLOW) != 0 { return "errno \(errno)" }
            var attributes = Glibc.stat()
            lstat(at(path), &attributes)
            return "\(attributes.st_mtim.tv_sec) \(attributes.st_mtim.tv_nsec)"
        default: return "not reached"
        }
    }

    private func mapWrite(_ file: Int32, _ offset: Int, _ count: Int, _ fill: UInt8) -> String {
        var attributes = Glibc.stat()
        guard Glibc.fstat(file, &attributes) == 0 else { return "errno \(errno)" }
        let size = Int(attributes.st_size)
        guard size > 0, attributes.st_mode & S_IFMT == S_IFREG else { return "nothing to map" }
        let map = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
        guard let map, map != MAP_FAILED else { return "errno \(errno)" }
        defer { munmap(map, size) }
        let start = min(offset, size)
        memset(map + start, Int32(fill), min(count, size - start))
        return result(msync(map, size, MS_SYNC))
    }

    private func mapRead(_ file: Int32) -> String {
        var attributes = Glibc.stat()
        guard Glibc.fstat(file, &attributes) == 0 else { return "errno \(errno)" }
        let size = Int(attributes.st_size)
        guard size > 0, attributes.st_mode & S_IFMT == S_IFREG else { return "nothing to map" }
        let map = mmap(nil, size, PROT_READ, MAP_PRIVATE, file, 0)
        guard let map, map != MAP_FAILED else { return "errno \(errno)" }
        defer { munmap(map, size) }
        return Self.digest(UnsafeRawBufferPointer(start: map, count: size))
    }

    private func list(_ path: String) -> String {
        guard let stream = opendir(at(path)) else { return "errno \(errno)" }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            names.append("\(name)/\(entry.pointee.d_type)")
        }
        return names.sorted().joined(separator: " ")
    }

    private func at(_ path: String) -> String { root + "/" + path }
    private func result(_ value: Int) -> String { value < 0 ? "errno \(errno)" : "\(value)" }
    private func result(_ value: Int32) -> String { result(Int(value)) }
    private func negative(_ value: Int) -> String { value < 0 ? "errno \(-value)" : "\(value)" }

    static func words(_ attributes: Glibc.stat) -> String {
        let isDirectory = attributes.st_mode & S_IFMT == S_IFDIR
        let owner = "\(attributes.st_uid):\(attributes.st_gid)"
        return "\(String(attributes.st_mode, radix: 8)) \(attributes.st_nlink) \(owner)"
            + (isDirectory ? "" : " \(attributes.st_size)")
    }

    /// FNV-1a and the length.
    static func digest(_ bytes: some Collection<UInt8>) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return "\(bytes.count) bytes \(String(hash, radix: 16))"
    }
}
