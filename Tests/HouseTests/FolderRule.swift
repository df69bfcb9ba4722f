/// Folders of one module depend on each other in one direction: a cycle hides what can be read, tested or moved by itself.
/// The files at a module's top compose its folders, and nothing below uses them.
///
/// What a file uses is guessed from its words: the types that files of other folders declare at their top level. A type
/// that the file declares itself, or a name behind a dot, does not count.
struct FolderRule {
    /// One file: the types that it offers, and those that it may use.
    private struct Words {
        var folder: String
        var offered: Set<String> = []
        var used: Set<String> = []
    }

    /// Each cycle, as `Module: A -> B -> A (File uses Type, …)`.
    static func objections(to files: [SourceFile]) -> [String] {
        Dictionary(grouping: files.filter { $0.module != nil }, by: { $0.module! }).sorted { $0.key < $1.key }
            .compactMap { module, files in cycle(in: files).map { "\(module): \($0)" } }
    }

    private static func cycle(in files: [SourceFile]) -> String? {
        let words = files.map { file -> (path: String, words: Words) in
            let parts = file.path.split(separator: "/").dropFirst(2).dropLast()
            return (file.path, read(file.text, folder: parts.joined(separator: "/")))
        }
        var folders: [String: Set<String>] = [:]
        for (_, file) in words { for name in file.offered { folders[name, default: []].insert(file.folder) } }
        var uses: [String: [String: String]] = [:]
        for (path, file) in words {
            for name in file.used {
                // A name of several folders says nothing.
                guard let others = folders[name], others.count == 1, let other = others.first, other != file.folder
                else { continue }
                let file = path.split(separator: "/").last ?? ""
                uses[words.first { $0.path == path }!.words.folder, default: [:]][other] = "\(file) uses \(name)"
            }
        }
        for start in uses.keys.sorted() {
            if let way = way(from: start, to: start, uses) {
                let reasons = zip(way, way.dropFirst()).compactMap { uses[$0]?[$1] }
                return way.map { $0.isEmpty ? "." : $0 }.joined(separator: " -> ")
                    + " (\(reasons.joined(separator: ", ")))"
            }
        }
        return nil
    }

    /// The shortest way along uses, of at least one step.
    private static func way(from start: String, to end: String, _ uses: [String: [String: String]]) -> [String]? {
        var ways = [[start]]
        var seen: Set<String> = []
        while !ways.isEmpty {
            let way = ways.removeFirst()
            for next in (uses[way[way.count - 1]] ?? [:]).keys.sorted() {
                if next == end { return way + [next] }
                if seen.insert(next).inserted { ways.append(way + [next]) }
            }
        }
        return nil
    }

    private static let keywords: Set<String> = ["struct", "class", "enum", "protocol", "actor", "typealias"]

    private static func read(_ text: String, folder: String) -> Words {
        var words = Words(folder: folder)
        var own: Set<String> = []
        for line in code(of: text).split(separator: UInt8(ascii: "\n")) {
            var before = ""
            var isPrivate = false
            var index = line.startIndex
            while index < line.endIndex {
                guard isWord(line[index]) else {
                    index += 1
                    continue
                }
                let end = line[index...].firstIndex { !isWord($0) } ?? line.endIndex
                let word = String(decoding: line[index..<end], as: UTF8.self)
                let previous = index > line.startIndex ? line[index - 1] : UInt8(ascii: " ")
                if word == "private" || word == "fileprivate" { isPrivate = true }
                if keywords.contains(before) || before == "case" || previous == UInt8(ascii: "<") {
                    own.insert(word)
                    let isTop = line.first != UInt8(ascii: " ")
                    if isTop, !isPrivate, keywords.contains(before) { words.offered.insert(word) }
                } else if word.first!.isUppercase, previous != UInt8(ascii: ".") {
                    words.used.insert(word)
                }
                before = word
                index = end
            }
        }
        words.used.subtract(own)
        return words
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || byte >= 0x80
            || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte
            || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
    }

    /// Without comments, and without the words of strings (what is interpolated stays).
    private static func code(of text: String) -> [UInt8] {
        text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).flatMap { line -> [UInt8] in
            let line = Array(line)
            var kept: [UInt8] = []
            var isString = false
            var index = 0
            while index < line.count {
                let (byte, next) = (line[index], index + 1 < line.count ? line[index + 1] : 0)
                if isString, byte == UInt8(ascii: "\\") {
                    index += next == UInt8(ascii: "(") ? 1 : 2
                    if next == UInt8(ascii: "(") { isString = false }
                    continue
                }
                if !isString, byte == UInt8(ascii: "/"), next == UInt8(ascii: "/") { break }
                if byte == UInt8(ascii: "\"") { isString.toggle() } else if !isString { kept.append(byte) }
                index += 1
            }
            return kept + [UInt8(ascii: "\n")]
        }
    }
}
