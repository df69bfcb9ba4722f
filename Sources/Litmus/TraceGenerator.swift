import Model

/// Tiny random runs as litmus text, legal by construction. One seed gives one script.
package struct TraceGenerator {
    private var random: RandomStream
    private var kinds: [String: Character] = [:]
    private var sizes: [String: Int] = [:]
    private var flights: [String] = []
    private var letter = UInt8(ascii: "A")
    private var nextFlight = 1
    private let pages: Bool

    /// With `steps`, a run of so many operations instead of a tiny one.
    package static func script(seed: UInt64, steps: Int? = nil) throws -> LitmusScript {
        var generator = TraceGenerator(random: RandomStream(seed: seed).stream(7), pages: seed % 4 != 0)
        return try LitmusScript(name: "seed \(seed)", text: generator.text(steps))
    }

    private init(random: RandomStream, pages: Bool) {
        self.random = random
        self.pages = pages
    }

    private mutating func below(_ bound: Int) -> Int { Int(random.next(upperBound: UInt64(bound))) }
    private mutating func pick(_ list: [String]) -> String? { list.isEmpty ? nil : list[below(list.count)] }

    private mutating func text(_ steps: Int?) -> String {
        var lines = pages ? ["base"] : ["unit 512", "base"]
        kinds = ["f": "f", "D": "d"]
        sizes = ["f": pages ? 8 : 2]
        lines += ["  create f A*\(sizes["f"]! * 512)", "  mkdir D"]
        if below(2) == 0 {
            lines.append("  mkdir E")
            kinds["E"] = "d"
        }
        lines.append("run")
        for _ in 0..<(steps ?? 2 + below(6)) { if let line = step() { lines.append("  " + line) } }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The paths that certainly have the attribute user.a.
    private var attributed: Set<String> = []

    private var files: [String] { kinds.filter { $0.value == "f" }.keys.sorted() }
    private var folders: [String] { kinds.filter { $0.value == "d" }.keys.sorted() }

    private mutating func step() -> String? {
        switch below(24) {
        case 0...5: return write()
        case 6, 7: return truncate()
        case 8, 9: return create()
        case 10...13:
            attributed = []
            return rename()
        case 14:
            attributed = []
            return remove()
        case 15: return attribute()
        case 16, 17: return flight()
        case 18:
            attributed = []
            return link()
        default: return barrier()
        }
    }

    private mutating func write() -> String? {
        guard let file = pick(files), let size = sizes[file] else { return nil }
        letter = letter == UInt8(ascii: "Z") ? UInt8(ascii: "A") : letter + 1
        let step = pages ? 4 : 1
        let offset = below(3) == 0 ? size : below(4) * step
        let count = (1 + below(3)) * step
        sizes[file] = max(size, offset + count)
        return "write \(file) \(offset * 512) \(Character(Unicode.Scalar(letter)))*\(count * 512)"
    }

    private mutating func truncate() -> String? {
        guard let file = pick(files) else { return nil }
        let step = pages ? 4 : 1
        let (offset, count) = (below(4) * step, (1 + below(3)) * step)
        switch below(7) {
        case 0: return "punch \(file) \(offset * 512) \(count * 512)"
        case 1: return "zero-keep-size \(file) \(offset * 512) \(count * 512)"
        case 2:
            sizes[file] = max(sizes[file]!, offset + count)
            return "zero \(file) \(offset * 512) \(count * 512)"
        case 3:
            sizes[file] = max(sizes[file]!, offset + count)
            return "allocate \(file) \(offset * 512) \(count * 512)"
        case 4: return "allocate-keep-size \(file) \(offset * 512) \(count * 512)"
        default:
            sizes[file] = offset
            return "truncate \(file) \(offset * 512)"
        }
    }

    private mutating func freshName() -> String? {
        let folder = (["."] + folders)[below(folders.count + 1)]
        let name = ["a", "b", "D", "E"][below(4)]
        let path = folder == "." ? name : folder + "/" + name
        return kinds[path] == nil && path.filter { $0 == "/" }.count < 3 ? path : nil
    }

    private mutating func create() -> String? {
        guard let path = freshName() else { return nil }
        let isFolder = path.last!.isUppercase
        kinds[path] = isFolder ? "d" : "f"
        sizes[path] = isFolder ? nil : 0
        return (isFolder ? "mkdir " : "create ") + path
    }

    private mutating func rename() -> String? {
        guard let from = pick(files + folders) else { return nil }
        let isFolder = kinds[from] == "d"
        let exchanges = below(5) == 0
        let to: String?
        if exchanges {
            to = pick(files + folders)
        } else {
            to = below(2) == 0 ? freshName() : pick(isFolder ? folders.filter { isEmpty($0) } : files)
        }
        guard let to, to != from, !to.hasPrefix(from + "/"), !from.hasPrefix(to + "/") else { return nil }
        if inodeIsSame(from, to) { return nil }
        let moved = kinds.filter { $0.key == from || $0.key.hasPrefix(from + "/") }
        let other = kinds.filter { $0.key == to || $0.key.hasPrefix(to + "/") }
        let (movedSizes, otherSizes) = (sizes, sizes)
        for path in moved.keys { forget(path) }
        for path in other.keys { forget(path) }
        for (path, kind) in moved { enter(to + path.dropFirst(from.count), kind, movedSizes[path]) }
        if exchanges { for (path, kind) in other { enter(from + path.dropFirst(to.count), kind, otherSizes[path]) } }
        moveLinks(from, to, exchanges)
        return (exchanges ? "exchange " : "rename ") + from + " " + to
    }

    private func isEmpty(_ folder: String) -> Bool { !kinds.keys.contains { $0.hasPrefix(folder + "/") } }

    private mutating func forget(_ path: String) {
        kinds[path] = nil
        sizes[path] = nil
    }

    private mutating func enter(_ path: String, _ kind: Character, _ size: Int?) {
        kinds[path] = kind
        sizes[path] = size
    }

    private mutating func remove() -> String? {
        guard let path = pick(files + folders.filter { isEmpty($0) }) else { return nil }
        let line = (kinds[path] == "d" ? "rmdir " : "unlink ") + path
        forget(path)
        links = links.filter { !$0.contains(path) }
        return line
    }

    /// Pairs of names of one file: sizes are not kept for both, so only one is written to.
    private var links: [Set<String>] = []

    private func inodeIsSame(_ one: String, _ two: String) -> Bool { links.contains([one, two]) }

    private mutating func moveLinks(_ from: String, _ to: String, _ exchanges: Bool) {
        links = links.filter { link in
            !link.contains { $0 == from || $0 == to || $0.hasPrefix(from + "/") || $0.hasPrefix(to + "/") }
        }
    }

    private mutating func link() -> String? {
        guard links.isEmpty, let file = pick(files), let path = freshName(), !path.last!.isUppercase else { return nil }
        links.append([file, path])
        kinds[path] = "f"
        sizes[path] = sizes[file]
        return "link \(file) \(path)"
    }

    private mutating func attribute() -> String? {
        guard let path = pick(files + folders) else { return nil }
        switch below(4) {
        case 0:
            attributed.insert(path)
            return "setxattr \(path) user.a \(below(3))"
        case 1: return "setxattr \(path) user.b \(below(3))"
        case 2:
            // Nobody removes what is not there; the same file may have another name.
            guard attributed.contains(path) else {
                attributed.insert(path)
                return "setxattr \(path) user.a 0"
            }
            attributed = []
            return "removexattr \(path) user.a"
        default: return "chmod \(path) 6\(below(8))0"
        }
    }

    private mutating func flight() -> String? {
        if let open = flights.first, below(2) == 0 {
            flights.removeFirst()
            return "end " + open
        }
        guard let line = below(3) == 0 ? barrier() : below(2) == 0 ? write() : below(2) == 0 ? truncate() : rename()
        else {
            return nil
        }
        let name = "t\(nextFlight)"
        nextFlight += 1
        flights.append(name)
        return "begin \(name) \(line)"
    }

    private mutating func barrier() -> String? {
        guard let path = pick(files + folders + ["."]) else { return nil }
        let call = ["fsync ", "fsync ", "fdatasync "][below(3)] + path
        switch below(10) {
        case 0: return "sync"
        case 1, 2: return "fail " + call
        case 3: return write().map { "write-fua" + $0.dropFirst(5) }
        default: return call
        }
    }
}
