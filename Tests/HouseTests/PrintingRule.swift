/// What is printed goes one way for text (StandardOutput, StandardError) and one way for JSON (JSONText): there nothing
/// passes that a terminal obeys. Whoever prints by other means stands here with the reason.
struct PrintingRule {
    private static var calls: [(name: String, pattern: Regex<Substring>)] {
        [
            ("print", #/(?:^|[^.\w]|\bSwift\.)(?:debugPrint|print)\(/#), ("JSONEncoder", #/\bJSONEncoder\(/#),
            ("write to a stream", #/write\w*\(STD(?:OUT|ERR)_FILENO|(?:^|[^.\w])write\([12],/#),
            ("C's streams", #/\bfput[sc]\(|\bputs\(|\bperror\(/#),
        ]
    }

    /// Who may all the same, and why.
    private static let exceptions: [(path: String, reason: String)] = [
        ("Sources/Report/StandardOutput.swift", "the one way to standard output"),
        ("Sources/Machine/Files/StandardError.swift", "the one way to standard error"),
        ("Sources/Machine/Files/JSONText.swift", "the one way to JSON"),
        ("Sources/Targets/Recovery/RecoverServer.swift", "a method of its own: the lines of a recover command"),
        ("Sources/faultline-target/Main.swift", "another program, which has no reports; it escapes by itself"),
    ]

    static func objections(to file: SourceFile) -> [String] {
        guard !exceptions.contains(where: { $0.path == file.path }) else { return [] }
        let calls = calls
        return file.text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().flatMap { number, line in
            let code = line.prefix(upTo: line.firstRange(of: "//")?.lowerBound ?? line.endIndex)
            return calls.filter { code.contains($0.pattern) }
                .map { "\(file):\(number + 1): \($0.name): text is printed by StandardOutput, JSON made by JSONText" }
        }
    }

    /// Exceptions that nobody needs any more.
    static func unused(_ files: [SourceFile]) -> [String] {
        let calls = calls
        return exceptions.map(\.path).filter { path in
            !files.contains { file in file.path == path && calls.contains { file.text.contains($0.pattern) } }
        }
    }
}
