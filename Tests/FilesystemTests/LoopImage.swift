import CPlatform
import Foundation
import Glibc

/// A filesystem image in a file, behind a loop device: the file holds what reached the device.
///
/// One device serves many images in turn: `load` replaces the bytes beneath it. `detach` undoes mount and device.
final class LoopImage {
    let directory: String
    private let filesystem: RealFilesystem
    private var file: String
    private var device: String
    private var generation = 0
    private var isMounted = false
    private var isAttached = true

    /// The bytes of `template` in a new file, behind a new device.
    init(_ filesystem: RealFilesystem, _ name: String, in folder: String, template: String) throws {
        self.filesystem = filesystem
        file = folder + "/" + name + ".image"
        directory = folder + "/" + name
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try copySparse(template, to: file)
        device = try run(["losetup", "-f", "--show", "--direct-io=on", file])
    }

    /// A file with a fresh filesystem in it.
    static func make(_ filesystem: RealFilesystem, at path: String) throws {
        try run(["truncate", "-s", "\(filesystem.sizeMegabytes)M", path])
        try run(filesystem.mkfs + [path])
        try run(["fallocate", "--dig-holes", path])
    }

    /// Puts another image beneath the device.
    func load(_ path: String) throws {
        if !isQuiet() {
            // A mount namespace made meanwhile holds a copy of the last mount: leave it the device and take a new one.
            _ = try? run(["losetup", "-d", device])
            unlink(file)
            generation += 1
            file = directory + ".image\(generation)"
            try copySparse(path, to: file)
            device = try run(["losetup", "-f", "--show", "--direct-io=on", file])
            return
        }
        try copySparse(path, to: file)
    }

    /// Whether nothing at all has the device mounted.
    private func isQuiet() -> Bool {
        for attempt in 0..<4 {
            let descriptor = open(device, O_RDONLY | O_EXCL | O_CLOEXEC)
            if descriptor >= 0 {
                close(descriptor)
                return true
            }
            usleep(1000 << attempt)
        }
        return false
    }

    func mount(options: String) throws {
        let result = faultline_mount_device(device, directory, filesystem.type, options)
        guard result == 0 else {
            throw CommandError(description: "mount \(filesystem.type) \(device): \(String(cString: strerror(-result)))")
        }
        isMounted = true
    }

    func unmount() throws {
        // Something that looks at every new mount may hold it for a moment.
        for attempt in 0..<40 where isMounted {
            if faultline_unmount(directory, 0, 0) == 0 { isMounted = false } else { usleep(1000 << (attempt / 4)) }
        }
        if isMounted { throw CommandError(description: "\(directory) stays busy") }
    }

    /// Copies the image as it is at one moment: if the device was written to meanwhile, the copy is made again.
    func copy(to path: String) throws {
        for _ in 0..<50 {
            let before = statistics()
            try copySparse(file, to: path)
            if statistics() == before { return }
        }
        throw CommandError(description: "the device of \(file) is never quiet")
    }

    /// What was written to the device and discarded on it, and how much is under way.
    func statistics() -> [Substring] {
        guard let text = try? String(contentsOfFile: "/sys/block/\(device.dropFirst(5))/stat", encoding: .utf8) else {
            return []
        }
        let words = text.split(whereSeparator: \.isWhitespace)
        return [words[4], words[6], words[8], words[11], words[15]]
    }

    func detach() {
        if isMounted, (try? unmount()) == nil { _ = faultline_unmount(directory, 0, 1) }
        if isAttached { _ = try? run(["losetup", "-d", device]) }
        isAttached = false
    }

    deinit { detach() }
}

/// Makes `target` a copy of `source`, in place, with the same holes.
private func copySparse(_ source: String, to target: String) throws {
    func check<Number: SignedInteger>(_ result: Number, _ call: String) throws -> Number {
        guard result >= 0 else { throw CommandError(description: "\(call): \(String(cString: strerror(errno)))") }
        return result
    }
    let from = try check(open(source, O_RDONLY | O_CLOEXEC), "open")
    defer { close(from) }
    let to = try check(open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600), "open")
    defer { close(to) }
    let size = lseek(from, 0, SEEK_END)
    _ = try check(ftruncate(to, 0), "ftruncate")
    _ = try check(ftruncate(to, size), "ftruncate")
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    var place: off_t = 0
    while place < size {
        let start = lseek(from, place, 3)
        if start < 0 { break }
        let end = lseek(from, start, 4)
        place = start
        while place < end {
            let count = try check(pread(from, &buffer, min(buffer.count, Int(end - place)), place), "pread")
            _ = try check(pwrite(to, buffer, count, place), "pwrite")
            place += off_t(count)
        }
    }
}
