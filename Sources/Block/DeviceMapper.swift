import Bytes
import CPlatform
import Glibc

/// The device-mapper devices of this machine, as sysfs lists them.
package enum DeviceMapper {
    package struct Device: Hashable, Sendable {
        /// The name that it was made with.
        package var name: String
        /// The kernel's name, which its node in /dev has: `dm-0`.
        package var node: String
        /// The devices below it, such as `loop0`.
        package var lower: [String]

        /// The files behind it, if it lies on loop devices alone; else none.
        package var files: [ByteString]

        package init(name: String, node: String, lower: [String], files: [ByteString]) {
            (self.name, self.node, self.lower, self.files) = (name, node, lower, files)
        }
    }

    private static let root = "/sys/block"

    /// None where the kernel has no device-mapper.
    package static func devices() -> [Device] {
        names(in: root).filter { $0.hasPrefix("dm-") }.compactMap { node in
            let path = "\(root)/\(node)"
            guard let name = text("\(path)/dm/name"), !name.isEmpty else { return nil }
            let lower = names(in: "\(path)/slaves").sorted()
            let files = lower.compactMap { LoopDevice.backingFile(of: ByteString("/dev/\($0)")) }
            return Device(name: name, node: node, lower: lower, files: files.count == lower.count ? files : [])
        }
    }

    /// The targets that the kernel has now, loaded or built in; none if this user may not ask.
    @Sendable package static func targets() -> [String] {
        var text = [CChar](repeating: 0, count: 8192)
        guard faultline_device_mapper_targets(&text, text.count) == 0 else { return [] }
        let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// Removes the device of this name. What still uses it gets errors from now on, and the kernel removes it when that ends.
    package static func remove(_ name: String) {
        // It may be suspended, or held for a moment by whoever looks at new devices.
        for attempt in 0..<attempts {
            let isForced = attempt >= attempts / 2
            if isForced, let device = devices().first(where: { $0.name == name }) { failEverything(of: device) }
            let result = faultline_device_mapper_remove(name, isForced ? 1 : 0)
            if result == 0 || result == -ENXIO { return }
            usleep(UInt32(5000) << UInt32(attempt))
        }
    }

    /// Whoever has the device gets errors, so that nothing waits in the kernel.
    private static func failEverything(of device: Device) {
        guard let sectors = text("\(root)/\(device.node)/size").flatMap({ UInt64($0) }), sectors > 0 else { return }
        guard faultline_device_mapper_suspend(device.name) == 0 else { return }
        _ = faultline_device_mapper_load(device.name, 0, sectors, "error", "")
        _ = faultline_device_mapper_resume(device.name)
    }

    private static let attempts = 6

    private static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let place = UnsafeRawPointer(entry) + MemoryLayout<dirent>.offset(of: \.d_name)!
            let name = String(cString: place.assumingMemoryBound(to: CChar.self))
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }

    /// The first line of a file of sysfs; nil if there is none.
    private static func text(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(descriptor, &buffer, buffer.count)
        return String(decoding: buffer[..<max(0, count)].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}
