import Bytes
import CPlatform
import Glibc
import Platform

/// An open output, and what `commit` has to do. Opening checks everything that can be known in advance.
struct OpenedOutput: ~Copyable {
    let file: Descriptor
    let target: OutputFile.Target

    init(_ path: ByteString, _ mode: OutputFile.Mode, _ permissions: mode_t, mostLinks: Int) throws(OutputError) {
        switch try ResolvedOutput(path, mostLinks: mostLinks) {
        case .descriptor(let number):
            file = Descriptor(adopting: try Self.check(fcntl(number, F_DUPFD_CLOEXEC, 3), path))
            target = .through
        case .special(let place, let type):
            guard mode != .create else { throw OutputError(path, .exists) }
            let number = OutputDescriptor.through(place, type)
            guard number >= 0 else {
                throw OutputError(path, number == -ENXIO ? .noReader : .system(errno: -number))
            }
            file = Descriptor(adopting: number)
            target = .through
        case .name(let place, let existing) where mode == .append:
            let number = OutputDescriptor.append(place, permissions)
            guard number >= 0 else { throw OutputError(path, .system(errno: -number)) }
            file = Descriptor(adopting: number)
            target = .appended(place, isNew: existing == nil)
        case .name(let place, let existing):
            if let existing { try Self.requireReplaceable(place, existing, mode, path) }
            let (number, temporary) = OutputDescriptor.unnamed(in: place.parent, existing == nil ? permissions : 0o600)
            guard number >= 0 else {
                throw OutputError(path, existing == nil ? .system(errno: -number) : .directoryClosed(errno: -number))
            }
            file = Descriptor(adopting: number)
            target = .named(place, temporary: temporary, replacing: existing)
        }
    }

    /// Whether both descriptors refer to the same file, pipe or device.
    borrowing func isSame(as number: Int32) -> Bool {
        var (own, other) = (stat(), stat())
        return fstat(file.rawValue, &own) == 0 && fstat(number, &other) == 0 && own.isSame(as: other)
    }

    /// Throws unless the existing file may be replaced. A read-only file is not replaced, though its directory is
    /// writable.
    private static func requireReplaceable(
        _ place: OutputName, _ existing: stat, _ mode: OutputFile.Mode, _ path: ByteString
    ) throws(OutputError) {
        guard mode == .replace else { throw OutputError(path, .exists) }
        let isWritable = place.name.withCString { faccessat(place.parent, $0, W_OK, AT_EACCESS) } == 0
        guard isWritable else { throw OutputError(path, .system(errno: errno)) }
        let isMounted = place.name.withCString { faultline_is_mount_root(place.parent, $0) } == 1
        guard !isMounted else { throw OutputError(path, .isMountPoint) }
    }

    private static func check(_ number: Int32, _ path: ByteString) throws(OutputError) -> Int32 {
        guard number >= 0 else { throw OutputError(path, .system(errno: errno)) }
        return number
    }
}
