import Bytes

/// Where a store is: what `{dir}`, `{port}`, `{socket}` and `{tmp}` in a manifest stand for.
struct StorePlace: Sendable {
    /// The names that a manifest may use, in each of its commands where they mean something.
    static let names = ["dir", "port", "socket", "tmp"]

    /// The store's directory; nil where a command learns it in another way.
    var directory: ByteString?
    /// Where the server listens; nil for a store without one.
    var endpoint: ServerEndpoint?

    init(_ directory: ByteString? = nil, _ endpoint: ServerEndpoint? = nil) {
        (self.directory, self.endpoint) = (directory, endpoint)
    }

    /// The same for commands that read their environment.
    var variables: [ByteString: ByteString] {
        var variables: [ByteString: ByteString] = [:]
        if let directory { variables["FAULTLINE_DIR"] = directory }
        if let endpoint {
            variables["FAULTLINE_PORT"] = ByteString("\(endpoint.port)")
            variables["FAULTLINE_SOCKET"] = endpoint.socket
        }
        return variables
    }

    var values: [String: ByteString] {
        var values: [String: ByteString] = [:]
        if let directory { values["dir"] = directory }
        if let endpoint {
            values["port"] = ByteString("\(endpoint.port)")
            values["socket"] = endpoint.socket
            values["tmp"] = endpoint.directory
        }
        return values
    }
}
