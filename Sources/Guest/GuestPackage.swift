import Bytes
import Glibc
import Storage
import Targets

/// A Debian package in a file, unpacked into the cache by dpkg-deb, once for each content. Not beside the kernels that were
/// set up: a file that was given once is no default from then on.
enum GuestPackage {
    private static let timeoutMilliseconds = 300_000
    private static let folder: ByteString = "packages"

    /// The directory with its files: `packages/linux-image-6.12.0-1-amd64_6.12-1_amd64-1f2e3d4c`.
    static func unpacked(_ file: ByteString) throws(GuestError) -> ByteString {
        let content = try GuestFile.read(file)
        let name = String(decoding: file.bytes.split(separator: UInt8(ascii: "/")).last ?? [], as: UTF8.self)
        let label = "\(name.dropLast(".deb".count))-\(String(CRC32C.checksum(content), radix: 16))"
        for cache in GuestCache.directories() {
            let ready = cache.appending(component: folder).appending(component: ByteString(label))
            if GuestFile.exists(ready) { return ready }
        }
        let place = try GuestCache.writableDirectory().appending(component: folder)
        do {
            _ = try NewDirectories(making: place, permissions: 0o755)
            return try unpack(file, into: place, named: label)
        } catch let error as GuestError {
            throw error
        } catch {
            throw .notUnpacked(file, said: "\(error)")
        }
    }

    private static func unpack(_ file: ByteString, into place: ByteString, named label: String) throws -> ByteString {
        guard let program = GuestPrograms.find("dpkg-deb") else {
            throw GuestError.programMissing("dpkg-deb", package: "dpkg")
        }
        let ready = place.appending(component: ByteString(label))
        do {
            try OutputDirectory.make(ready, permissions: 0o755) { directory in
                let (termination, process) = try ProcessRunner.run(
                    Command([program, "--extract", file, directory]), timeoutMilliseconds: timeoutMilliseconds)
                guard termination.isSuccess else {
                    throw GuestError.notUnpacked(file, said: "dpkg-deb \(termination): \(process.standardError.said)")
                }
                // Throws for a package that holds no kernel.
                _ = try GuestKernel(in: directory)
            }
        } catch {
            // Somebody else may have been faster.
            guard GuestFile.exists(ready) else { throw error }
        }
        return ready
    }
}
