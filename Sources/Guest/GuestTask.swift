import Bytes
import Glibc

/// A command for the guest, which runs it as root.
package struct GuestTask: Sendable {
    /// The program, and its arguments. A program without `/` is searched in PATH.
    package var arguments: [ByteString]
    /// The working directory, by its absolute path on the host. What the command writes there stays in the guest.
    package var directory: ByteString
    package var environment: [String: ByteString]
    /// Files of the host that the command finds in its shared directory, by these names. The guest has its own /dev/shm, and
    /// does not see that of the host.
    package var give: [ByteString: ByteString] = [:]
    /// Paths in the guest that are copied out at the end, if they are there.
    package var bring: [ByteString] = []

    /// Where the command sees its shared directory: what it writes there is on the host at once.
    package static let sharedDirectory: ByteString = "/run/faultline-guest"

    /// The variables that the guest takes over from the host. Nothing else is passed on.
    private static let inherited = ["PATH", "LD_LIBRARY_PATH", "NO_COLOR"]
    private static let inheritedPrefix = "FAULTLINE_"

    package init(_ arguments: [ByteString], in directory: ByteString) {
        self.arguments = arguments
        self.directory = directory
        var environment: [String: ByteString] = [
            "HOME": "/root", "USER": "root", "LC_ALL": "C.UTF-8",
            // For dmsetup: nothing else in the guest makes nodes for device-mapper.
            "DM_DISABLE_UDEV": "1",
            // Faultline in the guest does not start another guest.
            "FAULTLINE_MACHINE": "host",
        ]
        for (name, value) in Self.variables() where Self.isInherited(name) && environment[name] == nil {
            environment[name] = value
        }
        // Administration programs are there, whoever calls.
        let path = environment["PATH"]?.bytes ?? Array("/usr/local/bin:/usr/bin:/bin".utf8)
        environment["PATH"] = ByteString(path + Array(":/usr/local/sbin:/usr/sbin:/sbin".utf8))
        self.environment = environment
    }

    /// FAULTLINE_SPAWN marks processes of this machine. A shell sets no variable with other characters.
    private static func isInherited(_ name: String) -> Bool {
        if inherited.contains(name) { return true }
        let isName = name.utf8.allSatisfy { byte in
            let character = Character(Unicode.Scalar(byte))
            return character == "_" || character.isASCII && (character.isLetter || character.isNumber)
        }
        return name.hasPrefix(inheritedPrefix) && name != "FAULTLINE_SPAWN" && isName
    }

    private static func variables() -> [(String, ByteString)] {
        var found: [(String, ByteString)] = []
        var entry = environ
        while let text = entry.pointee {
            let bytes = ByteString(cString: text).bytes
            if let equals = bytes.firstIndex(of: UInt8(ascii: "=")) {
                found.append((String(decoding: bytes[..<equals], as: UTF8.self), ByteString(bytes[(equals + 1)...])))
            }
            entry += 1
        }
        return found
    }
}
