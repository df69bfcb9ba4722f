import Model

/// A filesystem as plain dictionaries and cells of 512 bytes.
struct NaiveState: CustomStringConvertible {
    var kinds: [InodeID: NodeKind] = [.root: .directory]
    var names: [DirectoryEntry: InodeID] = [:]
    var sizes: [InodeID: Int] = [:]
    var cells: [InodeID: [Int: UInt8]] = [:]
    var attributes: [InodeID: Attributes] = [:]
    var extended: [InodeID: [String: String]] = [.root: [:]]
    /// No cell from here on was ever written, or all were zeroed since.
    var contentEnds: [InodeID: Int] = [:]

    init() {}

    /// Every inode that was ever born, as it was born.
    init(born other: NaiveState) {
        kinds = other.kinds
        births = other.births
        attributes = other.births
        for inode in kinds.keys {
            sizes[inode] = 0
            extended[inode] = [:]
        }
    }

    private var births: [InodeID: Attributes] = [:]

    mutating func born(_ inode: InodeID, _ kind: NodeKind, _ attributes: Attributes) {
        kinds[inode] = kind
        births[inode] = attributes
        self.attributes[inode] = attributes
        sizes[inode] = 0
        extended[inode] = [:]
    }

    mutating func write(_ inode: InodeID, _ first: Int, _ letters: [UInt8]) {
        contentEnds[inode] = max(contentEnds[inode] ?? 0, first + letters.count)
    }

    mutating func apply(_ thing: NaiveModel.Thing) {
        switch thing {
        case .data(let inode, let range, let letter): for cell in range { cells[inode, default: [:]][cell] = letter }
        case .zero(let inode, let range): for cell in range { cells[inode]?[cell] = nil }
        case .size(let inode, let size): sizes[inode] = size
        case .name(let entry, let inode): names[entry] = inode
        case .attributes(let inode, let value): attributes[inode] = value
        case .extendedAttribute(let inode, let name, let value): extended[inode, default: [:]][name] = value
        }
    }

    var description: String {
        var lines: [String] = []
        describe(.root, "", &lines, depth: 0)
        return lines.sorted().joined(separator: " ")
    }

    private func describe(_ directory: InodeID, _ path: String, _ lines: inout [String], depth: Int) {
        guard depth < 8 else { return lines.append("\(path) lies within itself") }
        for (entry, inode) in names where entry.directory == directory {
            let name = path + entry.name.description
            var line = name + ":" + String(attributes[inode]!.mode, radix: 8)
            for (key, value) in extended[inode]!.sorted(by: { $0.key < $1.key }) { line += "@\(key)=\(value)" }
            if kinds[inode] == .directory {
                lines.append(line + "/")
                describe(inode, name + "/", &lines, depth: depth + 1)
            } else {
                let letters = (0..<sizes[inode]!).map { cells[inode]?[$0] ?? UInt8(ascii: "0") }
                lines.append(line + "(" + String(decoding: letters, as: UTF8.self) + ")")
            }
        }
    }
}
