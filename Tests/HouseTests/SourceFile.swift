import Foundation

/// A file of the house: where it is, and what it says.
struct SourceFile: CustomStringConvertible {
    /// From the root of the package: `Sources/Model/Tree.swift`.
    var path: String
    var text: String

    var description: String { path }

    /// The module of a file under Sources.
    var module: String? {
        let parts = path.split(separator: "/")
        return parts.count > 2 && parts[0] == "Sources" ? String(parts[1]) : nil
    }

    var lineCount: Int { text.split(separator: "\n", omittingEmptySubsequences: false).count - 1 }

    /// The modules that the file imports, and what of them when it is a single declaration.
    var imports: [(module: String, declaration: String?)] {
        let pattern =
            #/^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+(?:(?:struct|class|enum|protocol|typealias|func|let|var)\s+)?(?<module>\w+)(?:\.(?<declaration>\w+))?/#
        return text.split(separator: "\n").compactMap { line in
            line.firstMatch(of: pattern).map { (String($0.module), $0.declaration.map(String.init)) }
        }
    }
}

extension SourceFile {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized

    /// Every file with one of these endings in a directory of the package.
    static func all(in directory: String, endings: Set<String>) throws -> [SourceFile] {
        let start = root.appending(path: directory)
        guard let files = FileManager.default.enumerator(at: start, includingPropertiesForKeys: nil) else {
            throw CocoaError(.fileReadNoSuchFile)
        }
        var found: [SourceFile] = []
        for case let file as URL in files where endings.contains(file.pathExtension) {
            let path = file.standardized.path().dropFirst(root.path().count)
            found.append(
                SourceFile(path: String(path), text: try String(contentsOf: file, encoding: .utf8)))
        }
        return found
    }
}
