import Bytes
import CPlatform
import Glibc
import Platform

extension Sandbox {
    /// Builds the spawn request's sandbox description for a command and passes it to `body`.
    func withRequest<Result>(
        for command: Command, executable: ByteString, _ body: (UnsafePointer<faultline_sandbox>) -> Result
    ) -> Result {
        let needed = Self.paths(of: command, executable)
        // Mount TMPDIR itself again, in case a cover hides it.
        let covers =
            covers.filter { cover in
                cover.at.isRealDirectory && !needed.contains { $0.names(cover.at, besides: [directory, temporary]) }
            }
            + [Cover(shown: temporary, at: temporary)]
        return CStringArray([directory] + covers.flatMap { [$0.shown, $0.at] }).withPointers { texts in
            let list = covers.indices.map { faultline_cover(directory: texts[1 + 2 * $0], at: texts[2 + 2 * $0]) }
            return list.withUnsafeBufferPointer { list in
                var request = faultline_sandbox()
                request.writable = UnsafePointer(texts[0])
                request.covers = list.baseAddress
                request.cover_count = Int32(list.count)
                request.mounts = layers.namespace == nil ? 0 : 1
                request.user_namespace = layers.namespace == .user ? 1 : 0
                (request.user, request.group) = (geteuid(), getegid())
                request.landlock = layers.landlock
                return withUnsafePointer(to: request, body)
            }
        }
    }

    /// The arguments, variables and paths of the command, which may name directories that it needs.
    private static func paths(of command: Command, _ executable: ByteString) -> [ByteString] {
        // These are inside the sandbox, or mounted there.
        let ours: Set<ByteString> = ["FAULTLINE_DIR", "FAULTLINE_ORACLE", "TMPDIR"]
        let values = command.environment.filter { !ours.contains($0.key) }.values
        let working = command.directory ?? "."
        let isAbsolute = executable.bytes.first == UInt8(ascii: "/")
        let program = isAbsolute ? executable : working.appending(component: executable)
        let resolved = [working, program].compactMap { try? $0.resolvedPath() }
        return command.arguments + values + [working, program] + resolved
    }
}

extension ByteString {
    /// Whether the text contains `directory` or a path in it: `/tmp`, `--config=/tmp/x`, `/usr/bin:/tmp/bin`.
    ///
    /// - Parameter mounted: directories that are there in any case.
    fileprivate func names(_ directory: ByteString, besides mounted: [ByteString]) -> Bool {
        bytes.split { #"=:,;"' "#.utf8.contains($0) }.map { ByteString($0) }.contains { word in
            (word == directory || word.isBeneath(directory))
                && !mounted.contains { word == $0 || word.isBeneath($0) }
        }
    }
}
