import Bytes
import FaultFS
import Glibc

/// What became of a mounted filesystem whose device failed, or that failed for another reason.
package struct FilesystemReaction: Hashable, Codable, Sendable {
    package enum State: String, CaseIterable, Codable, Sendable {
        /// It goes on, and takes writes.
        case readWrite = "read-write"
        /// It went read-only by itself.
        case readOnly = "read-only"
        /// It is shut down: every call fails until it is unmounted.
        case shutDown = "shut down"
        /// It did not mount in the first place.
        case notMounted = "not mounted"
    }

    package var state: State
    /// The errors that it counted itself, by the kernel's name for the counter: `errors_count` of ext4, `write_errs` and
    /// others of btrfs. Only counters above zero; xfs has none.
    package var errorCounts: [String: Int]
    /// The first warnings and errors of the kernel's log about its device; empty if the log cannot be read.
    package var kernelLog: [String]
    /// How many more there were.
    package var kernelLogLeftOut: Int
    /// What umount(8) complained of; nil if it did not.
    package var unmountComplaint: String?

    /// So many lines of the kernel's log are kept.
    private static let kernelLinesAtMost = 8

    init(_ state: State, errorCounts: [String: Int] = [:], kernelLog lines: [String] = []) {
        (self.state, self.errorCounts) = (state, errorCounts)
        kernelLog = Array(lines.prefix(Self.kernelLinesAtMost))
        kernelLogLeftOut = lines.count - kernelLog.count
    }

    /// Whether it gave up, or counted an error of its device.
    package var hasFailed: Bool { state != .readWrite || !errorCounts.isEmpty }

    /// Whether anything is wrong.
    package var isTrouble: Bool {
        state != .readWrite || !errorCounts.isEmpty || !kernelLog.isEmpty || unmountComplaint != nil
    }
}

extension FilesystemReaction {
    /// The state of the filesystem that is mounted at `mountPoint`.
    ///
    /// Its files are looked at by a process of their own, because its device may be a file that this process serves.
    package static func state(at mountPoint: ByteString) throws -> State {
        let mounts = try MountTable.read().filter { $0.mountPoint == mountPoint }
        guard let options = mounts.last?.filesystemOptions else { return .notMounted }
        // Linux 6.13 and later name both for ext4.
        if options.contains("shutdown") { return .shutDown }
        if options.contains("ro") || options.contains("emergency_ro") { return .readOnly }
        // xfs shows nothing in its options. Once shut down, even stat(2) of its root fails.
        let look = try FilesystemTool.outcome(of: ["stat", "--format=%n"], [mountPoint], package: "coreutils")
        return look.isSuccess ? .readWrite : .shutDown
    }

    /// The error counters above zero of the filesystem on a device such as `loop0`.
    static func errorCounts(of filesystem: BlockFilesystem, on device: String) -> [String: Int] {
        var counts: [String: Int] = [:]
        switch filesystem.family {
        case .ext4, .ext2: counts["errors_count"] = Int(text("/sys/fs/ext4/\(device)/errors_count"))
        case .btrfs:
            let table = btrfsDirectory(of: device).map { text("\($0)/devinfo/1/error_stats") } ?? ""
            for line in table.split(whereSeparator: \.isNewline) {
                let words = line.split(separator: " ")
                if words.count == 2 { counts[String(words[0])] = Int(words[1]) }
            }
        case .xfs, .f2fs: break
        }
        return counts.filter { $0.value > 0 }
    }

    /// `/sys/fs/btrfs/<uuid>` of the filesystem that has the device.
    private static func btrfsDirectory(of device: String) -> String? {
        let root = "/sys/fs/btrfs"
        guard let directory = opendir(root) else { return nil }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if access("\(root)/\(name)/devices/\(device)", F_OK) == 0 { return "\(root)/\(name)" }
        }
        return nil
    }

    /// The content of a file of sysfs, without its newline; empty if there is none.
    private static func text(_ path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(descriptor, &buffer, buffer.count)
        let text = String(decoding: buffer[..<max(0, count)], as: UTF8.self)
        return String(text.reversed().drop { $0.isNewline }.reversed())
    }
}

extension FilesystemReaction: CustomStringConvertible {
    /// `read-only (errors_count 1); the kernel: Aborting journal on device loop0-8`
    package var description: String {
        let counts = errorCounts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        let said = kernelLog.first.map { ["the kernel: \($0)"] } ?? []
        let counted = counts.isEmpty ? "" : " (\(counts.joined(separator: ", ")))"
        return (["\(state.rawValue)\(counted)"] + said + (unmountComplaint.map { ["umount: \($0)"] } ?? []))
            .joined(separator: "; ")
    }
}
