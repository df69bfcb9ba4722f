import Bytes
import Glibc
import Storage

/// The files of one guest, in a directory of its run.
struct GuestFiles: Sendable {
    let directory: ByteString

    init(_ directory: ByteString) { self.directory = directory }

    /// Seen by the guest.
    var shared: ByteString { directory.appending(component: "share") }
    var image: ByteString { directory.appending(component: "image.cpio") }
    var console: ByteString { directory.appending(component: "console") }

    /// There as soon as the guest is up.
    var booted: ByteString { shared.appending(component: "booted") }

    func make() throws(GuestError) { try Self.make(shared) }

    /// The directory of a task, counted from 1.
    func task(_ number: Int) -> ByteString { shared.appending(component: ByteString("\(number)")) }

    func makeTask(_ number: Int) throws(GuestError) -> GuestTaskFiles {
        try Self.make(task(number))
        return GuestTaskFiles(directory: task(number))
    }

    private static func make(_ directory: ByteString) throws(GuestError) {
        guard directory.withCString({ mkdir($0, 0o700) }) == 0 else {
            throw .system(call: "mkdir", path: directory, errno: errno)
        }
    }

    /// Why the guest could not be set up.
    var writtenFailure: String? { GuestTaskFiles.line(of: shared.appending(component: "failure")) }
}

/// The files of one task of a guest, which sees them as GuestScript.sharedDirectory.
struct GuestTaskFiles: Sendable {
    let directory: ByteString

    var command: ByteString { directory.appending(component: "command") }
    var bring: ByteString { directory.appending(component: "bring") }
    /// The task begins as soon as it is there.
    var start: ByteString { directory.appending(component: "start") }
    /// The copies of `GuestTask.bring`.
    var brought: ByteString { directory.appending(component: "brought") }

    /// Shows a file to the task: by another name of it, or as a copy.
    func give(_ file: ByteString, as name: ByteString) throws {
        let place = directory.appending(component: name)
        let result = file.withCString { from in place.withCString { link(from, $0) } }
        if result != 0 { try OutputFile.create(place, try GuestFile.read(file, followingLinks: false)) }
    }

    /// The status of the command, once it has ended.
    var writtenStatus: Int32? { Self.line(of: directory.appending(component: "status")).flatMap { Int32($0) } }

    /// A line that the guest has written. It may have written anything.
    static func line(of path: ByteString) -> String? {
        guard let bytes = try? GuestFile.read(path, followingLinks: false), !bytes.isEmpty else { return nil }
        return String(decoding: bytes.prefix(1000).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}

/// What the command of a guest prints, read from the files to which it goes.
struct GuestStreams {
    private let paths: [GuestMachine.Stream: ByteString]
    private var offsets: [GuestMachine.Stream: Int] = [:]

    init(_ files: GuestTaskFiles) {
        paths = [
            .output: files.directory.appending(component: "stdout"),
            .errors: files.directory.appending(component: "stderr"),
        ]
    }

    /// Passes on what is new.
    mutating func forward(to output: (GuestMachine.Stream, [UInt8]) -> Void) {
        for stream in GuestMachine.Stream.allCases {
            guard let path = paths[stream],
                let bytes = try? GuestFile.read(path, from: offsets[stream] ?? 0, followingLinks: false), !bytes.isEmpty
            else { continue }
            offsets[stream, default: 0] += bytes.count
            output(stream, bytes)
        }
    }
}
