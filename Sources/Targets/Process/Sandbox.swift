import Bytes
import Glibc

/// Keeps a process, and everything that it starts, from writing anywhere but in one directory, whatever links, paths or
/// process ids the files there hold.
///
/// Two layers, each as far as the machine has it (`SandboxLayers`): a mount namespace in which all else is read-only and
/// no device opens, and Landlock, which also stops FIFOs, signals and ptrace. /dev/shm, /tmp and /var/tmp are private to
/// the sandbox, unless the command itself lies there; TMPDIR always is.
///
/// Not confined: reading, sockets, the network, System V shared memory. A value, safe to share. Entering it costs about a
/// millisecond for each process that is started; what such a process then does costs nothing more.
package struct Sandbox: Hashable, Sendable {
    /// The tree that may be written: absolute, without symbolic links.
    package let directory: ByteString
    /// TMPDIR of what runs in it.
    let temporary: ByteString
    let layers: SandboxLayers
    private let sharedMemory: ByteString

    /// - Parameters:
    ///   - directory: may be written. It has to exist.
    ///   - place: a directory of the caller's for what is private to the sandbox; without one `.sandbox` is made in
    ///     `directory`.
    package init(
        _ directory: ByteString, private place: ByteString? = nil, layers: SandboxLayers
    ) throws(TargetError) {
        self.directory = try directory.resolvedPath()
        self.layers = layers
        let own: ByteString
        if let place {
            own = try place.resolvedPath()
        } else {
            own = self.directory.appending(component: ".sandbox")
            try Self.makeDirectory(own)
        }
        temporary = own.appending(component: "tmp")
        sharedMemory = own.appending(component: "shm")
        for path in [temporary, sharedMemory] { try Self.makeDirectory(path) }
        for cover in covers { try makePlaces(in: cover) }
    }

    /// A directory, and the one that it is shown in place of.
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

    /// What a cover hides and has to be seen is mounted again within it: there it needs a directory of that name.
    private func makePlaces(in cover: Cover) throws(TargetError) {
        for path in [directory, temporary] where path.isBeneath(cover.at) {
            var made = cover.shown
            for name in path.bytes.dropFirst(cover.at.count).split(separator: UInt8(ascii: "/")) {
                made = made.appending(component: ByteString(name))
                try Self.makeDirectory(made)
            }
        }
    }

    /// One that is there already will do.
    private static func makeDirectory(_ path: ByteString) throws(TargetError) {
        guard path.withCString({ mkdir($0, 0o700) }) != 0 else { return }
        let failure = TargetError.system("mkdir", path)
        guard case .system(_, _, EEXIST) = failure, path.isRealDirectory else { throw failure }
    }
}

extension ByteString {
    /// Absolute, with every symbolic link in it followed.
    package func resolvedPath() throws(TargetError) -> ByteString {
        guard let real = withCString({ realpath($0, nil) }) else { throw .system("realpath", self) }
        defer { free(real) }
        return ByteString(cString: real)
    }

    func isBeneath(_ directory: ByteString) -> Bool { bytes.starts(with: directory.bytes + [UInt8(ascii: "/")]) }

    /// Whether it is a directory, and no link to one.
    var isRealDirectory: Bool {
        var status = stat()
        return withCString { lstat($0, &status) } == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
