import Bytes
import CPlatform
import Glibc
import Model
import Platform

/// Walks the backing directory at mount time: assigns every inode its id and builds the base tree.
///
/// File contents are not read: each content is one payload of `UndoStore`, read on demand.
struct Scan {
    private let backing: ByteString
    private let table: InodeTable
    private let undo: UndoStore?
    private let device: dev_t
    private var found: [UInt64: Inode] = [:]
    private(set) var tree: Tree

    /// Fills `table`, which initially holds only the root.
    init(_ backing: ByteString, _ table: InodeTable, _ undo: UndoStore?) throws(MountError) {
        self.backing = backing
        self.table = table
        self.undo = undo
        var attributes = stat()
        tree = Tree()
        guard let root = table.root.descriptor, fstat(root.rawValue, &attributes) == 0 else {
            throw .system(call: "fstat", path: backing, errno: errno)
        }
        device = attributes.st_dev
        tree.nodes[.root]?.attributes = Attributes(attributes)
        try readExtendedAttributes(of: table.root, root, backing)
        var waiting = [(node: table.root, path: backing)]
        while let (directory, path) = waiting.popLast() {
            for name in try names(in: path, isRoot: directory === table.root) {
                if let child = try add(name, to: directory, path) { waiting.append((child, path.appending(name))) }
            }
        }
    }

    /// Adds one name. Returns the inode if it is a directory that must be walked.
    private mutating func add(_ name: ByteString, to parent: Inode, _ path: ByteString) throws(MountError) -> Inode? {
        let directory = path
        let path = path.appending(name)
        var attributes = stat()
        guard path.withCString({ lstat($0, &attributes) }) == 0 else {
            throw .system(call: "lstat", path: path, errno: errno)
        }
        guard attributes.st_dev == device else {
            throw .unsupported(path, reason: "another filesystem is mounted there")
        }
        if let known = found[UInt64(attributes.st_ino)] {
            table.change { () throws(Never) in table.link(known, at: name, in: parent) }
            tree.nodes[parent.id]?.entries[name] = known.id
            return nil
        }
        if name == ControlDirectory.name, StateDirectory.isMounted(directory) {
            throw .backingInUse(directory, reason: "is mounted already and lies within the directory to mount")
        }
        let kind = try kind(attributes, path)
        let node = table.change { () throws(Never) in table.add(attributes, at: name, in: parent) }
        tree.nodes[parent.id]?.entries[name] = node.id
        tree.nodes[node.id] = Model.Node(kind: kind, attributes: Attributes(attributes))
        if kind == .regular {
            let size = UInt64(attributes.st_size)
            tree.nodes[node.id]?.sizeBytes = size
            if let undo {
                let whole = undo.base(of: node.id, sizeBytes: size)
                for run in try runsOfData(in: path, attributes) {
                    let data = whole.slice(run.lowerBound, count: UInt64(run.count))
                    tree.nodes[node.id]?.content.write(data, at: run.lowerBound)
                }
            }
        }
        if attributes.st_nlink > 1 && kind != .directory { found[UInt64(attributes.st_ino)] = node }
        if kind == .regular || kind == .directory {
            let handle = path.withCString { faultline_open_path(-100, $0) }
            guard handle >= 0 else { throw .system(call: "open", path: path, errno: -handle) }
            try readExtendedAttributes(of: node, SharedDescriptor(adopting: handle), path)
        }
        return kind == .directory ? node : nil
    }

    /// Where a file is not a hole. A sparse one, such as a disk image, takes no more room in a trace than on its disk.
    private func runsOfData(in path: ByteString, _ attributes: stat) throws(MountError) -> [Range<UInt64>] {
        let size = UInt64(attributes.st_size)
        let sectorBytes: UInt64 = 512
        guard UInt64(attributes.st_blocks) * sectorBytes < size else { return [0..<size] }
        let number = path.withCString { open($0, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) }
        guard number >= 0 else { throw .system(call: "open", path: path, errno: errno) }
        let file = SharedDescriptor(adopting: number)
        func place(_ whence: Int32, from offset: UInt64) throws(MountError) -> UInt64? {
            let place = faultline_lseek(file.rawValue, off_t(offset), whence)
            if place == -off_t(ENXIO) { return nil }
            guard place >= 0 else { throw .system(call: "lseek", path: path, errno: Int32(-place)) }
            return min(UInt64(place), size)
        }
        let (seekData, seekHole): (Int32, Int32) = (3, 4)
        var runs: [Range<UInt64>] = []
        var offset: UInt64 = 0
        while offset < size, let start = try place(seekData, from: offset), start < size {
            offset = try place(seekHole, from: start) ?? size
            runs.append(start..<offset)
        }
        return runs
    }

    private func kind(_ attributes: stat, _ path: ByteString) throws(MountError) -> NodeKind {
        switch attributes.st_mode & S_IFMT {
        case S_IFREG: return .regular
        case S_IFDIR: return .directory
        case S_IFIFO: return .fifo
        case S_IFSOCK: return .socket
        case S_IFLNK:
            var target = [UInt8](repeating: 0, count: 4096)
            let count = path.withCString { path in
                target.withUnsafeMutableBytes { readlink(path, $0.baseAddress!, $0.count) }
            }
            guard count >= 0 else { throw .system(call: "readlink", path: path, errno: errno) }
            return .symbolicLink(target: ByteString(target[..<count]))
        default: throw .unsupported(path, reason: "device nodes are not supported")
        }
    }

    private mutating func readExtendedAttributes(of node: Inode, _ handle: SharedDescriptor, _ path: ByteString)
        throws(MountError)
    {
        var list = [CChar](repeating: 0, count: 64 << 10)
        let count = faultline_listxattr_path(handle.rawValue, &list, list.count)
        if count == -Int(EOPNOTSUPP) || count == 0 { return }
        guard count > 0 else { throw .system(call: "listxattr", path: path, errno: Int32(-count)) }
        for bytes in list[..<count].split(separator: 0) {
            let name = ByteString(bytes.map { UInt8(bitPattern: $0) })
            var value = [UInt8](repeating: 0, count: 64 << 10)
            let length = name.withCString { faultline_getxattr_path(handle.rawValue, $0, &value, value.count) }
            guard length >= 0 else { throw .system(call: "getxattr", path: path, errno: Int32(-length)) }
            tree.nodes[node.id]?.extendedAttributes[name] = ByteString(value[..<length])
        }
    }

    private func names(in path: ByteString, isRoot: Bool) throws(MountError) -> [ByteString] {
        guard let stream = path.withCString({ opendir($0) }) else {
            throw .system(call: "opendir", path: path, errno: errno)
        }
        defer { closedir(stream) }
        var names: [ByteString] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { ByteString(cString: $0) }
            }
            if name == "." || name == ".." || (isRoot && name == ControlDirectory.name) { continue }
            names.append(name)
        }
        if errno != 0 { throw .system(call: "readdir", path: path, errno: errno) }
        // Sorted, so that the same tree gets the same ids on every filesystem.
        return names.sorted()
    }
}
