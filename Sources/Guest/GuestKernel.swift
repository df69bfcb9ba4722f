import Bytes
import Glibc
import Storage

/// A kernel for the guest: a Debian kernel package that was unpacked and not installed.
package struct GuestKernel: Hashable, Sendable {
    /// The directory with `boot` and `lib`.
    package let directory: ByteString
    /// As uname(2) tells it: `6.1.0-56-amd64`.
    package let release: String
    private let modules: ByteString

    /// The kernel in a directory.
    package init(in directory: ByteString) throws(GuestError) {
        for parent in ["lib/modules", "usr/lib/modules"] as [ByteString] {
            let modules = directory.appending(component: parent)
            for name in GuestFile.names(in: modules) where GuestFile.exists(Self.image(directory, name)) {
                self.directory = directory
                release = String(decoding: name.bytes, as: UTF8.self)
                self.modules = modules.appending(component: name)
                return
            }
        }
        throw .notAKernel(directory, reason: "it has no boot/vmlinuz-RELEASE beside lib/modules/RELEASE")
    }

    private static func image(_ directory: ByteString, _ release: ByteString) -> ByteString {
        directory.appending(component: ByteString(Array("boot/vmlinuz-".utf8) + release.bytes))
    }

    // MARK: - Finding one

    /// The kernels in the cache, the newest first.
    package static func all() -> [GuestKernel] {
        let places = GuestCache.directories().map { $0.appending(component: "kernels") }
        let kernels = places.flatMap { place in
            GuestFile.names(in: place).filter { $0.bytes.first != UInt8(ascii: ".") }
                .compactMap { try? GuestKernel(in: place.appending(component: $0)) }
        }
        return kernels.sorted { Self.isOlder($1.release, than: $0.release) }
    }

    /// The newest kernel in the cache.
    package static func newest() throws(GuestError) -> GuestKernel {
        guard let kernel = all().first else { throw .noKernel(GuestCache.directories()) }
        return kernel
    }

    /// The kernel that a user asked for: a .deb file, a directory, or the name of a package or a release in the cache.
    package static func named(_ name: String) throws(GuestError) -> GuestKernel {
        if name.hasSuffix(".deb") { return try GuestKernel(in: GuestPackage.unpacked(ByteString(name))) }
        if name.contains("/") { return try GuestKernel(in: ByteString(name)) }
        let known = all()
        guard let kernel = known.first(where: { [$0.release, $0.packageName].contains(name) }) else {
            throw .unknownKernel(name, known: known.map(\.packageName))
        }
        return kernel
    }

    /// The name of its directory.
    package var packageName: String {
        String(decoding: directory.bytes.split(separator: UInt8(ascii: "/")).last ?? [], as: UTF8.self)
    }

    /// Compares numbers as numbers: 6.1.0-9 is older than 6.1.0-56.
    static func isOlder(_ one: String, than other: String) -> Bool {
        func numbers(_ release: String) -> [Int] {
            release.split { !$0.isASCII || !$0.isNumber }.compactMap { Int($0) }
        }
        let (ours, theirs) = (numbers(one), numbers(other))
        return ours == theirs ? one < other : ours.lexicographicallyPrecedes(theirs)
    }

    // MARK: - Its files

    /// Its loadable modules.
    ///
    /// - Parameter scratch: a directory of this run, to unpack in.
    func loadableModules(scratch: ByteString) throws -> KernelModules {
        let files = TreeListing.paths(beneath: modules).map { modules.appending(component: $0) }
        let list = modules.appending(component: "modules.builtin")
        let builtIn = GuestFile.exists(list) ? try GuestFile.read(list) : []
        return KernelModules(files, builtIn: builtIn) { file in
            let content = try GuestFile.read(file)
            guard let packing = Packing(content) else { return content }
            return try Unpacking.bytes(of: content, packing, named: file, scratch: scratch)
        }
    }

    /// The path of the kernel without compression, which QEMU starts directly. Unpacked once, into the cache.
    func executable(scratch: ByteString) throws -> ByteString {
        let path = Self.image(directory, ByteString(release))
        let image = try GuestFile.read(path)
        let name = "vmlinux-\(release)-\(String(CRC32C.checksum(image), radix: 16))"
        for cache in GuestCache.directories() {
            let ready = cache.appending(component: ByteString(name))
            if GuestFile.exists(ready) { return ready }
        }
        let (payload, packing) = try Self.payload(of: image, path)
        let kernel = try Unpacking.bytes(of: payload, packing, named: path, scratch: scratch)
        guard ELFImage(kernel) != nil else { throw GuestError.notAKernel(path, reason: "its payload is no ELF file") }
        let place = try GuestCache.writableDirectory().appending(component: ByteString(name))
        try OutputFile.replace(place, with: kernel, permissions: 0o644)
        return place
    }

    /// The compressed kernel in a bzImage (Documentation/x86/boot.rst): its place is in the header.
    static func payload(of image: [UInt8], _ path: ByteString) throws(GuestError) -> ([UInt8], Packing) {
        func number(_ offset: Int, _ count: Int) -> Int {
            image[offset..<offset + count].reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        let (magicOffset, sectorBytes, versionWithPayload) = (0x202, 512, 0x208)
        guard image.count > 0x250, image[magicOffset..<magicOffset + 4].elementsEqual("HdrS".utf8),
            number(0x206, 2) >= versionWithPayload
        else { throw .notAKernel(path, reason: "it is no bzImage for x86") }
        let setupSectors = image[0x1F1] == 0 ? 4 : Int(image[0x1F1])
        let start = (setupSectors + 1) * sectorBytes + number(0x248, 4)
        let count = number(0x24C, 4)
        guard start <= image.count, count <= image.count - start else {
            throw .notAKernel(path, reason: "it is shorter than its header says")
        }
        guard let packing = Packing(image[start..<start + count]) else {
            throw .notAKernel(path, reason: "its payload is neither xz, gzip nor zstd")
        }
        // The build appends the uncompressed size to every format but gzip, which has it.
        return (Array(image[start..<start + count - (packing == .gzip ? 0 : 4)]), packing)
    }
}
