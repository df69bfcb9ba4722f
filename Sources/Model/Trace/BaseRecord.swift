import Bytes

/// A record of the base tree: the durable tree before the first event of a trace. Base records come before the events, so
/// that a trace contains everything that is needed to derive its crash states.
public enum BaseRecord: Hashable, Sendable {
    /// An inode. A file reads as zeros where no content record covers it.
    case node(InodeID, NodeKind, Attributes, sizeBytes: UInt64)
    case extendedAttribute(InodeID, name: ByteString, value: ByteString)
    /// A name in a directory. An inode may have several.
    case entry(DirectoryEntry, InodeID)
    /// A run of a file's content.
    case content(InodeID, offsetBytes: UInt64, data: Payload)
}
