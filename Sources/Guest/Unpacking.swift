import Bytes
import Glibc
import Storage
import Targets

/// A compression of kernels and modules, told by the first bytes.
enum Packing: String, CaseIterable {
    case gzip = "gz"
    case xz
    case zstd = "zst"

    private var magic: [UInt8] {
        switch self {
        case .gzip: [0x1F, 0x8B]
        case .xz: [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0]
        case .zstd: [0x28, 0xB5, 0x2F, 0xFD]
        }
    }

    /// Nil for bytes that are not compressed in any of these ways.
    init?(_ bytes: some Sequence<UInt8>) {
        guard let packing = Self.allCases.first(where: { bytes.starts(with: $0.magic) }) else { return nil }
        self = packing
    }

    /// The program that unpacks it, and its Debian package.
    var program: (name: String, package: String) {
        switch self {
        case .gzip: ("gzip", "gzip")
        case .xz: ("xz", "xz-utils")
        case .zstd: ("zstd", "zstd")
        }
    }
}

/// Unpacks with the program of the format, by way of a file.
enum Unpacking {
    private static let timeoutMilliseconds = 120_000

    /// - Parameters:
    ///   - path: what is unpacked, for errors.
    ///   - scratch: a directory of this run, to unpack in.
    static func bytes(
        of content: [UInt8], _ packing: Packing, named path: ByteString, scratch: ByteString
    ) throws -> [UInt8] {
        guard let program = GuestPrograms.find(packing.program.name) else {
            throw GuestError.programMissing(packing.program.name, package: packing.program.package)
        }
        let directory = scratch.appending(component: "unpacking")
        guard directory.withCString({ mkdir($0, 0o700) }) == 0 else {
            throw GuestError.system(call: "mkdir", path: directory, errno: errno)
        }
        defer { try? TreeRemoval.remove(directory) }
        let packed = directory.appending(component: ByteString("content.\(packing.rawValue)"))
        try OutputFile.create(packed, content)
        let command = Command([program, "--decompress", packed])
        let (termination, process) = try ProcessRunner.run(command, timeoutMilliseconds: timeoutMilliseconds)
        guard termination.isSuccess else {
            let said = process.standardError.said
            throw GuestError.notUnpacked(
                path, said: "\(packing.program.name) \(termination)" + (said.isEmpty ? "" : ": \(said)"))
        }
        return try GuestFile.read(directory.appending(component: "content"))
    }
}

/// Programs of this machine.
package enum GuestPrograms {
    /// In PATH, then where administration programs are.
    package static func find(_ name: String) -> ByteString? {
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        return (path.split(separator: ":").map(String.init) + ["/usr/sbin", "/sbin", "/usr/bin", "/bin"]).lazy
            .map { ByteString("\($0)/\(name)") }.first { $0.withCString { access($0, X_OK) } == 0 }
    }
}
