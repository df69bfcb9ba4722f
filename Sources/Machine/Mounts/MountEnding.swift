import Bytes
import FaultFS
import Glibc
import Platform
import Storage

/// Implements `faultline unmount`: ends a mount of `faultline mount` from another process.
package enum MountEnding {
    /// How the mount ended.
    package enum Outcome: Hashable, Sendable {
        /// The backing directory has everything written, or the crash state after a power cut.
        case unmounted
        /// Its process had been killed: the mount was detached. The backing directory has everything written; the next
        /// mount or `faultline cleanup` removes `.faultline` there.
        case wasAbandoned
    }

    /// Ends the mount. Returns when it and its process are gone, in whatever namespace.
    package static func end(_ mountPoint: ByteString, timeLimitSeconds: Int) throws -> Outcome {
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
            // The server was already ending.
            try MountTable.detach(mountPoint)
            return .wasAbandoned
        }
        let server = directory?.server
        let limit = MonotonicTime.seconds() + Double(timeLimitSeconds)
        while try isThere(entry) || directory?.isServed == true || server?.state == .running {
            guard MonotonicTime.seconds() < limit else {
                throw MountServiceError.lingers(process: daemon, seconds: timeLimitSeconds)
            }
            usleep(2000)
        }
        // A server that ends without an error removes its directory.
        guard let directory, let log = try? RunFiles.read(directory.log) else { return .unmounted }
        let text = String(decoding: log, as: UTF8.self)
        try directory.remove()
        throw MountServiceError.endedBadly(text)
    }

    /// Whether the mount is still listed. A copy in another mount namespace survives the server's unmount; it is
    /// detached here once its connection has ended.
    private static func isThere(_ entry: MountTable.Mount) throws -> Bool {
        guard let listed = try MountTable.read().first(where: { $0.id == entry.id && $0.source == entry.source }) else {
            return false
        }
        if listed.connection(patienceMilliseconds: 100) == .ended { try MountTable.detach(listed.mountPoint) }
        return true
    }

    /// Asks the serving process to unmount. Returns its service directory, if its status names one.
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
