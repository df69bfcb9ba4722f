/// Files that somebody keeps are written in one place (Sources/Storage/Outputs): there a device is never replaced, an old
/// file never lost to a full disk, and an error says path and reason. Whoever makes or replaces a file by other means
/// stands here with the reason.
struct OutputRule {
    /// Calls that make or replace a file, and those of Foundation that read one and throw what no user can read.
    private static var calls: [(name: String, pattern: Regex<Substring>)] {
        let calls: [(name: String, pattern: Regex<Substring>)] = [
            ("O_CREAT", #/\bO_CREAT\b/#), ("O_TRUNC", #/\bO_TRUNC\b/#), ("fopen", #/\bf(?:d|re)?open\(/#),
            // Without a label: not the house's own methods of these names.
            ("rename", #/(?:^|[^.\w]|\bGlibc\.)rename(?:at2?)?\([a-z$]\w*[,.)]/#),
            ("creat", #/(?:^|[^.\w]|\bGlibc\.)creat\(/#), ("mkstemp", #/\bmkos?temps?\(|\bmkstemps?\(/#),
            ("faultline_create", #/\bfaultline_create(?:_unnamed)?\(/#),
            ("faultline_rename_at", #/\bfaultline_rename_at\(/#),
            ("write(to", #/\.write\(toFile:|\.write\(to: *(?:URL\(|\w*[uU]rl\b)/#),
            ("FileManager", #/\bFileManager\b/#), ("FileHandle", #/\bFileHandle\b(?!\.nullDevice)/#),
            ("contentsOf", #/\b(?:String|Data)\(contentsOf(?:File)?:/#), ("createFile", #/\bcreateFile\(/#),
        ]
        // By Unicode's rules `FileManager.default` is one word.
        return calls.map { ($0.name, $0.pattern.wordBoundaryKind(.simple)) }
    }

    /// Who may all the same: the beginning of a path, and why.
    private static let exceptions: [(path: String, reason: String)] = [
        ("Sources/Storage/Outputs/", "the one place"),
        (
            "Sources/Storage/Posix/PosixStorage.swift",
            "the engine's own files, behind the seam that faults are injected at"
        ),
        ("Sources/Storage/Trees/", "files of a store: a crash state, a copy of one"),
        ("Sources/Machine/Files/SmallFile.swift", "the record of a run or a mount, locked before it has its name"),
        ("Sources/FaultFS/Mount/MountConnection.swift", "reads what /proc says of an open file"),
        ("Sources/FaultFS/Calls/FileSystem", "the files of the program on the mount, as it asks for them"),
        ("Sources/faultline-target/Litmus", "what a litmus script does, on the filesystem that it is about"),
        ("Sources/Litmus/LitmusTrace.swift", "names an operation of a script, and does nothing"),
        ("Sources/FaultFS/PowerCut/TreePatch.swift", "the backing directory, made into a crash state"),
    ]

    static func objections(to file: SourceFile) -> [String] {
        guard !exceptions.contains(where: { file.path.hasPrefix($0.path) }) else { return [] }
        // They can touch no file: the rule of imports holds that.
        guard !["Bytes", "Model", "Oracle"].contains(file.module) else { return [] }
        let calls = calls
        return file.text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().flatMap { number, line in
            let code = line.prefix(upTo: line.firstRange(of: "//")?.lowerBound ?? line.endIndex)
            guard !code.contains("func ") else { return [String]() }
            return calls.filter { code.contains($0.pattern) }
                .map { "\(file):\(number + 1): \($0.name): outputs are written by Storage/Outputs" }
        }
    }

    /// Exceptions that nobody needs any more.
    static func unused(_ files: [SourceFile]) -> [String] {
        let calls = calls
        return exceptions.map(\.path).filter { path in
            !files.contains { file in
                file.path.hasPrefix(path)
                    && calls.contains { call in
                        file.text.split(separator: "\n").contains { $0.contains(call.pattern) }
                    }
            }
        }
    }
}
