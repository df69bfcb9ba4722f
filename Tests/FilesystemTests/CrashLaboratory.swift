import CPlatform
import Foundation
import Glibc
import Litmus

/// Runs scripts on one filesystem and finds what crashes leave.
final class CrashLaboratory {
    private let filesystem: RealFilesystem
    private let folder: String
    private let template: String
    private let running: LoopImage
    private let recovered: LoopImage

    init(_ filesystem: RealFilesystem, _ folder: String) throws {
        self.filesystem = filesystem
        self.folder = folder
        template = folder + "/template"
        try LoopImage.make(filesystem, at: template)
        running = try LoopImage(filesystem, "running", in: folder, template: template)
        recovered = try LoopImage(filesystem, "recovered", in: folder, template: template)
    }

    func close() {
        running.detach()
        recovered.detach()
    }

    /// Each tree found, and the moment at which it was found first.
    func outcomes(of script: LitmusScript) throws -> [String: String] {
        var seen: [String: String] = [:]
        for first in LitmusExecutor.hasSeveralPages(script) ? [false, true] : [false] {
            for (moment, copy) in try crashes(of: script, writingBackFirst: first) {
                try recovered.load(copy)
                unlink(copy)
                try recovered.mount(options: filesystem.recoveryOptions)
                let outcome = try describe(directory: recovered.directory)
                try recovered.unmount()
                if seen[outcome] == nil { seen[outcome] = moment }
            }
        }
        return seen
    }

    /// Images taken at several moments after the last operation. A page that is written back early and another file's
    /// fsync stand for what the kernel may do by itself at any time.
    private func crashes(of script: LitmusScript, writingBackFirst: Bool) throws -> [(moment: String, copy: String)] {
        let image = running
        try image.load(template)
        try image.mount(options: filesystem.mountOptions)
        defer { try? image.unmount() }
        let other = open(image.directory + "/.other", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        defer { Glibc.close(other) }
        _ = pwrite(other, "a", 1, 0)
        var executor: LitmusExecutor? = try LitmusExecutor(image.directory)
        try executor!.execute(script.base)
        faultline_sync_filesystem(other)
        try executor!.execute(script.run)

        var copies: [(moment: String, copy: String)] = []
        var last: [Substring] = []
        func take(_ moment: String) throws {
            let now = image.statistics()
            guard now != last else { return }
            let copy = folder + "/copy\(copies.count)"
            try image.copy(to: copy)
            last = image.statistics()
            copies.append((moment, copy))
        }
        let page = writingBackFirst ? "first" : "last"
        if !writingBackFirst { try take("at once") }
        executor!.writeBack(first: writingBackFirst)
        try take("after write-back of the \(page) pages")
        _ = pwrite(other, "b", 1, 0)
        fsync(other)
        try take("after write-back of the \(page) pages and another file's fsync")
        if filesystem == .btrfs, faultline_btrfs_commit(other) == 0 { try take("after the next commit") }
        if !writingBackFirst {
            faultline_sync_filesystem(other)
            try take("after a sync")
        }
        executor = nil
        return copies
    }
}
