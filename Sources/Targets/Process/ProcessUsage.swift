import Glibc

/// What a process and its descendants use now.
package struct ProcessUsage: Hashable, Sendable {
    package var residentBytes = 0
    package var descriptors = 0
    package var threads = 0

    package init() {}

    /// Nil if the process has ended, or /proc cannot be read.
    package init?(of process: Int32) {
        guard add(process) else { return nil }
        for descendant in (try? ProcessTable.descendants(of: process)) ?? [] { _ = add(descendant) }
    }

    /// What this process uses, without its children.
    package static var ownUsage: ProcessUsage {
        var usage = ProcessUsage()
        _ = usage.add(getpid())
        return usage
    }

    private mutating func add(_ process: Int32) -> Bool {
        // proc(5), statm: the second field is the number of resident pages.
        guard let memory = ProcessTable.contents("/proc/\(process)/statm")?.split(separator: UInt8(ascii: " ")),
            memory.count > 1, let pages = Int(String(decoding: memory[1], as: UTF8.self)), pages > 0
        else { return false }
        residentBytes += pages * sysconf(Int32(_SC_PAGESIZE))
        descriptors += ProcessTable.entryCount("/proc/\(process)/fd")
        threads += ProcessTable.entryCount("/proc/\(process)/task")
        return true
    }
}
