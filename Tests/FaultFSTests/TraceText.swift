import Bytes
import FaultFS
import Model

/// A trace as text, one line per event, for comparison.
extension MemoryTrace {
    var text: String { events().map { line($0) + "\n" }.joined() }

    private func line(_ event: TraceEvent) -> String {
        switch event {
        case .operation(let operation):
            "\(operation.id.rawValue) \(words(operation.change))"
                + (operation.origin == .call ? "" : " \(operation.origin)")
        case .completed(let id): "\(id.rawValue) completed"
        case .barrierBegan(let id, let barrier, _): "\(id.rawValue) \(words(barrier)) began"
        case .barrierEnded(let id, let errno): "\(id.rawValue) ended" + (errno == 0 ? "" : " errno \(errno)")
        case .oracle(let line): "oracle \(text(of: line))"
        case .fault(let id, let rule): "\(id.rawValue) fault \(rule)"
        }
    }

    private func words(_ barrier: Barrier) -> String {
        switch barrier {
        case .fsync(let inode): "fsync \(inode.rawValue)"
        case .fdatasync(let inode): "fdatasync \(inode.rawValue)"
        case .flush: "flush"
        case .forceUnitAccess(let write): "fua \(write.rawValue)"
        }
    }

    private func words(_ change: Change) -> String {
        switch change {
        case .write(let inode, let offset, let data):
            "write \(inode.rawValue) at \(offset) "
                + (data.countBytes < 40 ? text(of: data) : "\(data.countBytes) bytes")
        case .truncate(let inode, let size): "truncate \(inode.rawValue) to \(size)"
        case .allocate(let inode, let offset, let count, let mode):
            "allocate \(inode.rawValue) \(offset)+\(count) \(mode)"
        case .create(let inode, let kind, let attributes, let entry):
            "create \(inode.rawValue) \(words(kind)) \(String(attributes.mode, radix: 8)) \(words(entry))"
        case .link(let inode, let entry): "link \(inode.rawValue) \(words(entry))"
        case .unlink(let entry): "unlink \(words(entry))"
        case .rename(let from, let to, let mode): "rename \(words(from)) \(words(to)) \(mode)"
        case .setAttributes(let inode, let attributes):
            "attributes \(inode.rawValue) \(String(attributes.mode, radix: 8)) \(attributes.owner):\(attributes.group)"
        case .setExtendedAttribute(let inode, let name, let value):
            "xattr \(inode.rawValue) \(name) \(value.map(\.description) ?? "removed")"
        }
    }

    private func words(_ kind: NodeKind) -> String {
        switch kind {
        case .symbolicLink(let target): "link to \(target)"
        case .regular: "file"
        case .directory: "directory"
        case .fifo: "fifo"
        case .socket: "socket"
        }
    }

    private func words(_ entry: DirectoryEntry) -> String { "\(entry.directory.rawValue)/\(entry.name)" }

    private func text(of payload: Payload) -> String {
        (try? bytes(of: payload)).map { "'\(ByteString($0))'" } ?? "unreadable"
    }
}
