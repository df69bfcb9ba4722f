import Glibc

/// What a worker gets when it asks for a request.
package enum Reception: Hashable, Sendable {
    case request
    /// Nothing to serve; ask again.
    case nothing
    /// There is no memory for a request: wait until other requests free theirs.
    case outOfMemory
    /// There are no more requests: the filesystem was unmounted, or the connection is broken.
    case end

    /// - Parameter result: of a read of the connection: a number of bytes, or a negative errno.
    init(result: Int32) {
        switch result {
        case 1...: self = .request
        case -EINTR, -EAGAIN: self = .nothing
        case -ENOMEM: self = .outOfMemory
        default: self = .end
        }
    }
}
