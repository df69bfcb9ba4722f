import Bytes
import FaultFS
import Glibc
import Platform
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

    /// Returns when the mount and its process are gone, whatever namespace that is in.
    package static func end(_ mountPoint: ByteString, patienceSeconds: Int) throws -> Outcome {
        guard let entry = try MountTable.read().last(where: { $0.mountPoint == mountPoint && $0.isFaultFS }),
            let daemon = entry.daemon
        else { throw MountServiceError.notOurs(mountPoint) }
        switch entry.connection() {
        case .served: break
        case .unknown(let reason): throw MountServiceError.cannotAsk(mountPoint, reason: reason)
        case .ended:
            try MountTable.detach(mountPoint)
            return .wasAbandoned
        }
        let directory: ServiceDirectory?
        do {
            directory = try ask(mountPoint)
        } catch TreeError.system(_, _, let errno) where [ENOTCONN, ECONNABORTED].contains(errno) {
            // It was dying already.
            try MountTable.detach(mountPoint)
            return .wasAbandoned
        }
        let server = directory?.server
        let limit = MonotonicTime.seconds() + Double(patienceSeconds)
        while try isThere(entry) || directory?.isServed == true || server?.state == .running {
            guard MonotonicTime.seconds() < limit else {
                throw MountServiceError.lingers(process: daemon, seconds: patienceSeconds)
            }
            usleep(2000)
        }
        // It takes its directory away when it is content.
        guard let directory, let log = try? RunFiles.read(directory.log) else { return .unmounted }
        let text = String(decoding: log, as: UTF8.self)
        try directory.remove()
        throw MountServiceError.endedBadly(text)
    }

    /// Whether the mount is still listed. In a mount namespace that copied it, it stays when its server has unmounted
    /// it elsewhere: served by nobody, it is taken away here.
    private static func isThere(_ entry: MountTable.Mount) throws -> Bool {
        guard let listed = try MountTable.read().first(where: { $0.id == entry.id && $0.source == entry.source }) else {
            return false
        }
        if listed.connection(patienceMilliseconds: 100) == .ended { try MountTable.detach(listed.mountPoint) }
        return true
    }

    /// Asks the process to end, and learns where its log is.
    private static func ask(_ mountPoint: ByteString) throws -> ServiceDirectory? {
        let control = mountPoint.appending(component: ".faultline/")
        let status = String(
            decoding: try RunFiles.read(ByteString(control.bytes + Array("status".utf8))), as: UTF8.self)
        let line = status.split(separator: "\n").first { $0.hasPrefix("directory ") }
        let path = ByteString(control.bytes + Array("control".utf8))
        do throws(OutputError) {
            try OutputFile.append(Array("unmount\n".utf8), to: path)
        } catch {
            guard error.errno == EINVAL else { throw error }
            throw MountServiceError.endedBadly(String(decoding: try RunFiles.read(path), as: UTF8.self))
        }
        return line.flatMap { ByteString(description: String($0.dropFirst("directory ".count))) }
            .map { ServiceDirectory(path: $0) }
    }
}
