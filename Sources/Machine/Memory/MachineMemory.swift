import Bytes

/// The memory that the machine offers this process.
package struct MachineMemory: Sendable {
    private let host: Host

    package init(_ host: Host = .real) { self.host = host }

    /// The default memory limit of a run: a quarter of the machine's or container's memory, but at least
    /// `MemorySize.least`.
    package var defaultLimit: MemorySize {
        let quarter = (totalBytes ?? 4 << 30) / 4
        return MemorySize(bytes: max(quarter, MemorySize.least.bytes))
    }

    /// The machine's memory or the smallest limit of this process's control groups, whichever is less; nil if neither
    /// is known.
    package var totalBytes: Int? { ([machineBytes] + groupLimits).compactMap(\.self).min() }

    /// See proc(5), `/proc/meminfo`.
    private var machineBytes: Int? {
        guard let text = host.text("/proc/meminfo") else { return nil }
        for line in text.split(separator: "\n") where line.hasPrefix("MemTotal:") {
            return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
        }
        return nil
    }

    /// The limits of this process's control groups and their ancestors, in versions 1 and 2. See cgroups(7).
    private var groupLimits: [Int?] {
        guard let text = host.text("/proc/self/cgroup") else { return [] }
        var limits: [Int?] = []
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let isUnified = fields[1].isEmpty
            guard isUnified || fields[1].split(separator: ",").contains("memory") else { continue }
            let (root, file) =
                isUnified ? ("/sys/fs/cgroup", "memory.max") : ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            var path = fields[2]
            while true {
                let place = root + (path == "/" ? "" : String(path)) + "/" + file
                limits.append(host.text(ByteString(place)).flatMap { Int($0.filter { !$0.isWhitespace }) })
                guard let slash = path.lastIndex(of: "/"), path != "/" else { break }
                path = slash == path.startIndex ? "/" : path[..<slash]
            }
        }
        return limits
    }
}
