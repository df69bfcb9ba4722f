import Bytes
import Glibc

/// Prevents a process and its descendants from writing outside one directory, whatever links, paths or process ids its
/// files contain.
///
/// It has two layers, as available (`SandboxLayers`): a mount namespace in which everything else is read-only and
/// devices do not open, and Landlock, which also blocks FIFOs, signals and ptrace. /dev/shm, /tmp and /var/tmp are
/// private to the sandbox, unless the command itself is there; TMPDIR always is.
///
/// Not confined: reading, sockets, the network, System V shared memory. A value type. Entering it costs about a
/// millisecond per spawned process; running in it costs nothing.
package struct Sandbox: Hashable, Sendable {
    /// The writable directory: absolute, without symbolic links.
    package let directory: ByteString
    /// TMPDIR in the sandbox.
    let temporary: ByteString
    let layers: SandboxLayers
    private let sharedMemory: ByteString

    /// - Parameters:
    ///   - directory: the writable directory; must exist.
    ///   - privateDirectory: for the sandbox's private directories; nil to create `.sandbox` in `directory`.
    package init(
        _ directory: ByteString, private privateDirectory: ByteString? = nil, layers: SandboxLayers
    ) throws(TargetError) {
        self.directory = try directory.resolvedPath()
        self.layers = layers
        let own: ByteString
        if let privateDirectory {
            own = try privateDirectory.resolvedPath()
        } else {
            own = self.directory.appending(component: ".sandbox")
            try Self.makeDirectory(own)
        }
        temporary = own.appending(component: "tmp")
        sharedMemory = own.appending(component: "shm")
        for path in [temporary, sharedMemory] { try Self.makeDirectory(path) }
        for cover in covers { try makeMountPoints(in: cover) }
    }

    /// A directory that is mounted over another one.
    struct Cover {
        var shown: ByteString
        var at: ByteString
    }

    var covers: [Cover] {
        [
            Cover(shown: sharedMemory, at: "/dev/shm"), Cover(shown: temporary, at: "/tmp"),
            Cover(shown: temporary, at: "/var/tmp"),
        ]
    }

    /// Creates mount points in a cover for the directories that it hides and the sandbox needs.
    private func makeMountPoints(in cover: Cover) throws(TargetError) {
        for path in [directory, temporary] where path.isBeneath(cover.at) {
            var made = cover.shown
            for name in path.bytes.dropFirst(cover.at.count).split(separator: UInt8(ascii: "/")) {
                made = made.appending(component: ByteString(name))
                try Self.makeDirectory(made)
            }
        }
    }

    /// Creates a directory, unless it exists.
    private static func makeDirectory(_ path: ByteString) throws(TargetError) {
        guard path.withCString({ mkdir($0, 0o700) }) != 0 else { return }
        let failure = TargetError.system("mkdir", path)
        guard case .system(_, _, EEXIST) = failure, path.isRealDirectory else { throw failure }
    }
}

extension ByteString {
    /// The absolute path without symbolic links.
    package func resolvedPath() throws(TargetError) -> ByteString {
        guard let real = withCString({ realpath($0, nil) }) else { throw .system("realpath", self) }
        defer { free(real) }
        return ByteString(cString: real)
    }

    func isBeneath(_ directory: ByteString) -> Bool { bytes.starts(with: directory.bytes + [UInt8(ascii: "/")]) }

    /// Whether it is a directory and not a link to one.
    var isRealDirectory: Bool {
        var status = stat()
        return withCString { lstat($0, &status) } == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
