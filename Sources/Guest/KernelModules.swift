import Bytes

/// The loadable modules of a kernel that was unpacked and not installed: depmod(8) has not run.
struct KernelModules {
    /// A module to load.
    struct Module: Equatable {
        /// With underscores, as the kernel names it.
        var name: String
        var content: [UInt8]
    }

    /// By name.
    private let files: [String: ByteString]
    /// Names of modules that the kernel itself has.
    private let builtIn: Set<String>
    private let content: (ByteString) throws -> [UInt8]

    /// - Parameters:
    ///   - files: the paths of `.ko` files, perhaps compressed.
    ///   - builtIn: the text of the kernel's `modules.builtin`: a path of a module that it has itself in each line.
    ///   - content: reads one, uncompressed.
    init(_ files: [ByteString], builtIn: [UInt8] = [], content: @escaping (ByteString) throws -> [UInt8]) {
        var named: [String: ByteString] = [:]
        for file in files {
            if let name = Self.name(of: file) { named[name] = file }
        }
        self.files = named
        self.builtIn = Set(
            builtIn.split(separator: UInt8(ascii: "\n")).compactMap { Self.name(of: ByteString($0)) })
        self.content = content
    }

    /// `dm_flakey` of `…/dm-flakey.ko.xz`; nil for a file that is no module.
    static func name(of file: ByteString) -> String? {
        guard let last = file.bytes.split(separator: UInt8(ascii: "/")).last else { return nil }
        let parts = String(decoding: last, as: UTF8.self).split(separator: ".")
        guard parts.count >= 2, parts[1] == "ko" else { return nil }
        return normalised(String(parts[0]))
    }

    private static func normalised(_ name: String) -> String { name.replacing("-", with: "_") }

    /// Whether it can be loaded, or needs no loading.
    func has(_ name: String) -> Bool {
        let name = Self.normalised(name)
        return files[name] != nil || builtIn.contains(name)
    }

    /// These modules and those that they depend on, each after its dependencies. A module that is not there is left out:
    /// it may be built in.
    func loadOrder(of names: [String]) throws -> [Module] {
        var order: [Module] = []
        var seen: Set<String> = []
        for name in names { try add(Self.normalised(name), &order, &seen) }
        return order
    }

    private func add(_ name: String, _ order: inout [Module], _ seen: inout Set<String>) throws {
        guard seen.insert(name).inserted, let file = files[name] else { return }
        let bytes = try content(file)
        for needed in try Self.dependencies(of: bytes, file) { try add(needed, &order, &seen) }
        order.append(Module(name: name, content: bytes))
    }

    /// The names after `depends=` in the section `.modinfo`.
    static func dependencies(of module: [UInt8], _ file: ByteString) throws(GuestError) -> [String] {
        guard let information = ELFImage(module)?.section(".modinfo") else { throw .damagedModule(file) }
        let key = Array("depends=".utf8)
        for entry in information.split(separator: 0) where entry.starts(with: key) {
            return String(decoding: entry.dropFirst(key.count), as: UTF8.self).split(separator: ",").map {
                normalised(String($0))
            }
        }
        return []
    }
}
