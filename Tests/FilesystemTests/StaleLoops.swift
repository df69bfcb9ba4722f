import CPlatform
import Foundation
import Glibc

/// What a killed test run left behind: mounts, loop devices and image files below a folder that bears our prefix and
/// the number of a process that is gone.
enum StaleLoops {
    static let prefix = "faultline-litmus-"

    static func remove() {
        let files = FileManager.default
        let temporary = files.temporaryDirectory.resolvingSymlinksInPath().path
        let folders = ((try? files.contentsOfDirectory(atPath: temporary)) ?? [])
            .filter { isStale($0) }.map { temporary + "/" + $0 + "/" }
        guard !folders.isEmpty else { return }
        let mounts = (try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)) ?? ""
        for line in mounts.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count > 1, folders.contains(where: { words[1].hasPrefix($0) }) else { continue }
            _ = faultline_unmount(String(words[1]), 0, 1)
        }
        for device in (try? files.contentsOfDirectory(atPath: "/sys/block")) ?? [] where device.hasPrefix("loop") {
            let place = "/sys/block/\(device)/loop/backing_file"
            guard let backing = try? String(contentsOfFile: place, encoding: .utf8),
                folders.contains(where: { backing.hasPrefix($0) })
            else { continue }
            _ = try? run(["losetup", "-d", "/dev/" + device])
        }
        for folder in folders { try? files.removeItem(atPath: folder) }
    }

    /// Whether a name is `faultline-litmus-PID-…` of a process that is no more.
    static func isStale(_ name: String) -> Bool {
        guard name.hasPrefix(prefix),
            let process = name.dropFirst(prefix.count).split(separator: "-").first.flatMap({ Int32($0) }), process > 0
        else { return false }
        return kill(process, 0) == -1 && errno == ESRCH
    }
}
