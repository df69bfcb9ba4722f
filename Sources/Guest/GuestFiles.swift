import Bytes
import Glibc

/// The files of one guest, in a directory of its run.
struct GuestFiles: Sendable {
    let directory: ByteString

    init(_ directory: ByteString) { self.directory = directory }

    /// Seen by the guest.
    var shared: ByteString { directory.appending(component: "share") }
    var image: ByteString { directory.appending(component: "image.cpio") }
    var console: ByteString { directory.appending(component: "console") }

    var command: ByteString { shared.appending(component: "command") }
    var bring: ByteString { shared.appending(component: "bring") }
    /// There as soon as the guest is up.
    var booted: ByteString { shared.appending(component: "booted") }

    func make() throws(GuestError) {
        guard shared.withCString({ mkdir($0, 0o700) }) == 0 else {
            throw .system(call: "mkdir", path: shared, errno: errno)
        }
    }

    /// The status of the command, once it has ended.
    var writtenStatus: Int32? { text("status").flatMap { Int32($0) } }

    /// Why the guest could not be set up.
    var writtenFailure: String? { text("failure") }

    /// A line that the guest has written. It may have written anything.
    private func text(_ name: ByteString) -> String? {
        let path = shared.appending(component: name)
        guard let bytes = try? GuestFile.read(path, followingLinks: false), !bytes.isEmpty else { return nil }
        return String(decoding: bytes.prefix(1000).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}

extension GuestMachine {
    /// What the guest has copied out of itself: the copies of `GuestTask.bring`, by their last names. The directory may be
    /// missing. Its content comes from the guest: links in it may lead anywhere.
    package static func brought(in directory: ByteString) -> ByteString {
        GuestFiles(directory).shared.appending(component: "brought")
    }
}

/// What the command of a guest prints, read from the files to which it goes.
struct GuestStreams {
    private let paths: [GuestMachine.Stream: ByteString]
    private var offsets: [GuestMachine.Stream: Int] = [:]

    init(_ files: GuestFiles) {
        paths = [
            .output: files.shared.appending(component: "stdout"), .errors: files.shared.appending(component: "stderr"),
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
