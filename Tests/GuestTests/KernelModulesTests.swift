import Bytes
import Testing

@testable import Guest

/// Which modules are loaded, in which order, and which kernel is the newest.
struct KernelModulesTests {
    /// An ELF file with nothing but `.modinfo`.
    static func module(depends: String) -> [UInt8] {
        let information = Array("license=GPL\0depends=\(depends)\0name=x\0".utf8)
        let names = Array("\0.modinfo\0.shstrtab\0".utf8)
        func bytes(_ number: Int, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(number >> (8 * $0) & 0xFF) } }
        var header: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1] + [UInt8](repeating: 0, count: 58)
        let tableOffset = 64 + information.count + names.count
        header.replaceSubrange(0x28..<0x30, with: bytes(tableOffset, 8))
        header.replaceSubrange(0x3A..<0x40, with: bytes(64, 2) + bytes(3, 2) + bytes(2, 2))
        func section(_ name: Int, _ offset: Int, _ count: Int) -> [UInt8] {
            bytes(name, 4) + [UInt8](repeating: 0, count: 20) + bytes(offset, 8) + bytes(count, 8)
                + [UInt8](repeating: 0, count: 24)
        }
        return header + information + names + section(0, 0, 0) + section(1, 64, information.count)
            + section(10, 64 + information.count, names.count)
    }

    private func modules(_ dependencies: [String: String]) -> KernelModules {
        KernelModules(dependencies.keys.map { ByteString("/m/\($0)") }) { path in
            let name = String(decoding: path.bytes.dropFirst(3), as: UTF8.self)
            return Self.module(depends: dependencies[name] ?? "")
        }
    }

    @Test func `a module comes after what it depends on, once`() throws {
        let modules = modules([
            "dm-flakey.ko": "dm-mod", "dm-mod.ko.xz": "", "ext4.ko": "jbd2,mbcache", "jbd2.ko": "", "mbcache.ko": "",
            "9p.ko": "9pnet,netfs", "9pnet.ko": "", "netfs.ko": "9pnet",
        ])
        let order = try modules.loadOrder(of: ["dm-flakey", "ext4", "9p", "dm_mod"]).map(\.name)
        #expect(order == ["dm_mod", "dm_flakey", "jbd2", "mbcache", "ext4", "9pnet", "netfs", "9p"])
    }

    @Test func `a module that is built in, or that depends on itself, stops nothing`() throws {
        let modules = modules(["a.ko": "b,built-in", "b.ko": "a"])
        #expect(try modules.loadOrder(of: ["a", "elsewhere"]).map(\.name) == ["b", "a"])
        #expect(modules.has("a") && !modules.has("built-in"))
    }

    @Test func `what the kernel itself has needs no loading, and is there`() throws {
        let list = Array("kernel/drivers/virtio/virtio_pci.ko\nkernel/fs/ext4/ext4.ko\n".utf8)
        let modules = KernelModules(["/m/9p.ko.xz"], builtIn: list) { _ in Self.module(depends: "virtio_pci") }
        #expect(["virtio_pci", "virtio-pci", "ext4", "9p"].allSatisfy(modules.has) && !modules.has("kernel"))
        #expect(try modules.loadOrder(of: ["virtio_pci", "9p"]).map(\.name) == ["9p"])
    }

    @Test func `a file that is no module is refused by name`() throws {
        let modules = KernelModules(["/m/ext4.ko"]) { _ in Array("nonsense".utf8) }
        #expect(throws: GuestError.damagedModule("/m/ext4.ko")) { try modules.loadOrder(of: ["ext4"]) }
    }

    @Test func `no cut or changed ELF file traps`() {
        let whole = Self.module(depends: "a,b")
        for count in 0..<whole.count { _ = ELFImage(Array(whole[..<count]))?.section(".modinfo") }
        for index in whole.indices {
            for value: UInt8 in [0, 0x7F, 0xFF] {
                var changed = whole
                changed[index] = value
                _ = ELFImage(changed)?.section(".modinfo")
                _ = ELFImage(changed)?.isStatic
            }
        }
        #expect(ELFImage(whole)?.section(".modinfo")?.isEmpty == false)
    }

    @Test(arguments: [
        ("6.1.0-9-amd64", "6.1.0-56-amd64"), ("6.1.0-56-amd64", "6.12.1-1-amd64"), ("5.10.0-1-amd64", "6.1.0-1-amd64"),
    ])
    func `kernels are compared by number`(older: String, newer: String) {
        #expect(GuestKernel.isOlder(older, than: newer))
        #expect(!GuestKernel.isOlder(newer, than: older))
    }

    @Test func `a kernel image without a payload is refused with its path`() {
        for image in [[], [UInt8](repeating: 0, count: 4096)] {
            #expect(throws: GuestError.self) { try GuestKernel.payload(of: image, "/boot/vmlinuz-6") }
        }
    }
}
