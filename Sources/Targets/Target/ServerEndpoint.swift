import Bytes
import Glibc
import Platform
import Storage

/// Where a server listens: a TCP port of 127.0.0.1 that was free, and a path for a Unix socket in a directory of its own.
/// The directory, `{tmp}` in a manifest, goes with the endpoint.
///
/// Servers that start one after the other may share an endpoint.
package final class ServerEndpoint: Sendable {
    package let port: UInt16
    package let directory: ByteString

    package var socket: ByteString { directory.appending(component: "socket") }

    /// - Parameter parent: the directory for `directory`; if paths in it are too long for a socket, it is in /tmp.
    package init(in parent: ByteString?) throws(TargetError) {
        port = try Self.freePort()
        let places = [parent, "/tmp"].compactMap { $0 }
        let place = places.first { $0.count + "/server-XXXXXX/socket".utf8.count <= Self.longestSocketPath } ?? "/tmp"
        var template = place.bytes.map { CChar(bitPattern: $0) } + Array("/server-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw .system("mkdtemp", place) }
        directory = ByteString(template.dropLast().map { UInt8(bitPattern: $0) })
    }

    deinit { try? TreeRemoval.remove(directory) }

    /// `sun_path` has 108 bytes, with a zero at the end (unix(7)). Some servers append a suffix to the path.
    private static let longestSocketPath = 90

    /// Below the range from which the kernel takes ports for connections (net.ipv4.ip_local_port_range, usually from 32768): a client
    /// that asks whether the server answers must not be given the server's own port, and connect to itself.
    private static let ports: ClosedRange<UInt16> = 20_000...31_999

    private static func freePort() throws(TargetError) -> UInt16 {
        for _ in 0..<64 {
            if let port = try? port(free: UInt16.random(in: ports)) { return port }
        }
        return try port(free: 0)
    }

    /// - Parameter wanted: 0 for any.
    private static func port(free wanted: UInt16) throws(TargetError) -> UInt16 {
        let file = Self.stream(AF_INET)
        guard file.rawValue >= 0 else { throw .system("socket") }
        var address = loopback(port: wanted)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let found = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(file.rawValue, $0, size) == 0 && getsockname(file.rawValue, $0, &size) == 0
            }
        }
        guard found else { throw .system("bind") }
        return UInt16(bigEndian: address.sin_port)
    }

    private static func stream(_ family: Int32, _ flags: UInt32 = 0) -> SharedDescriptor {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | flags)
        return SharedDescriptor(adopting: Glibc.socket(family, kind, 0))
    }

    private static func loopback(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    // MARK: - Who listens

    /// Whether the port accepts a connection.
    func acceptsOnPort() -> Bool {
        let file = Self.stream(AF_INET)
        var address = Self.loopback(port: port)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(file.rawValue, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    /// The process that called listen(2) on the socket, if the socket accepts a connection (unix(7), SO_PEERCRED).
    func listenerOnSocket() -> pid_t? {
        // A server that does not accept yet must not block this thread.
        let file = Self.stream(AF_UNIX, SOCK_NONBLOCK.rawValue)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = socket.bytes
        guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(file.rawValue, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        guard isConnected else { return nil }
        // A struct ucred: process, user, group.
        var peer: [Int32] = [0, 0, 0]
        var size = socklen_t(MemoryLayout<Int32>.size * peer.count)
        guard getsockopt(file.rawValue, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 else { return nil }
        return peer[0]
    }

    /// The inodes of the sockets that listen on the port (proc(5), /proc/net/tcp).
    func listeningInodes() -> Set<String> {
        var inodes: Set<String> = []
        let suffix =
            ":" + String(repeating: "0", count: max(0, 4 - String(port, radix: 16).count)) + String(port, radix: 16)
        for file in ["/proc/net/tcp", "/proc/net/tcp6"] {
            let lines = String(decoding: ProcessTable.contents(file) ?? [], as: UTF8.self).split(separator: "\n")
            for line in lines.dropFirst() {
                let fields = line.split(separator: " ")
                guard fields.count > 9, fields[3] == "0A", fields[1].lowercased().hasSuffix(suffix) else { continue }
                inodes.insert(String(fields[9]))
            }
        }
        return inodes
    }
}
