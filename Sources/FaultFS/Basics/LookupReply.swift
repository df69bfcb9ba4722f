import Glibc

/// The reply to a lookup: an inode, to which the kernel now holds one more reference, and its attributes.
struct LookupReply {
    var id: UInt
    var attributes: stat
}
