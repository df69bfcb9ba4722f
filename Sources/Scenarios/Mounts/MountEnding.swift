import Bytes
import CPlatform
import FaultFS
import Glibc
import Storage

/// Ends a mount that `faultline mount` made, from outside: `faultline unmount`.
package enum MountEnding {
    /// How the mount ended.
    package enum Outcome: Hashable, Sendable {
        /// Everything that was written is in the backing directory, or the crash state if the power was cut.
        case unmounted
        /// Its process had been killed before: the mount was taken away, what had been written is in the backing
        /// directory, and `.faultline` there goes with the next mount or with `faultline cleanup`.
        case wasAbandoned
    }

    /// Returns when the mount and its process are gone.
    package static func end(_ mountPoint: ByteString, patienceSeconds: Int) throws -> Outcome {
        guard let entry = try MountTable.read().last(where: { $0.mountPoint == mountPoint && $0.isFaultFS }),
            let daemon = entry.daemon
        else { throw MountServiceError.notOurs(mountPoint) }
        let process = faultline_pidfd_open(daemon)
        guard process >= 0, !entry.isAbandoned else {
            try MountTable.detach(mountPoint)
            return .wasAbandoned
        }
        defer { close(process) }
        let directory: ServiceDirectory?
        do {
            directory = try ask(mountPoint)
        } catch TreeError.system(_, _, let errno) where [ENOTCONN, ECONNABORTED].contains(errno) {
            // It was dying already.
            try MountTable.detach(mountPoint)
            return .wasAbandoned
        }
        var waiting = pollfd(fd: process, events: Int16(POLLIN), revents: 0)
        var left = patienceSeconds * 1000
        while poll(&waiting, 1, Int32(min(left, 1000))) == 0 {
            left -= 1000
            guard left > 0 else { throw MountServiceError.lingers(process: daemon, seconds: patienceSeconds) }
        }
        // It takes its directory away when it is content.
        guard let directory, let log = try? RunFiles.read(directory.log) else { return .unmounted }
        let text = String(decoding: log, as: UTF8.self)
        try directory.remove()
        throw MountServiceError.endedBadly(text)
    }

    /// Asks the process to end, and learns where its log is.
    private static func ask(_ mountPoint: ByteString) throws -> ServiceDirectory? {
        let control = mountPoint.appending(component: ".faultline/")
        let status = String(
            decoding: try RunFiles.read(ByteString(control.bytes + Array("status".utf8))), as: UTF8.self)
        let line = status.split(separator: "\n").first { $0.hasPrefix("directory ") }
        let path = ByteString(control.bytes + Array("control".utf8))
        do {
            try RunFiles.append(Array("unmount\n".utf8), to: path)
        } catch TreeError.system(_, _, EINVAL) {
            throw MountServiceError.endedBadly(String(decoding: try RunFiles.read(path), as: UTF8.self))
        }
        return line.flatMap { ByteString(description: String($0.dropFirst("directory ".count))) }
            .map { ServiceDirectory(path: $0) }
    }
}
