import Model

/// What the kernel is led to do after the last operation of a script, before the power goes. Each is something that it may
/// do by itself at any time, and in the end all is written.
package enum LitmusAftermath: String, CaseIterable, Codable, Sendable {
    /// Another file is synced, which commits a journal. Then the filesystem is synced.
    case commitFirst = "commit"
    /// Before that, the last page of each file is written back.
    case lastPageFirst = "last-page"
    /// Before that, the first page of each file is written back.
    case firstPageFirst = "first-page"

    /// Those that differ for a script.
    package static func all(of script: LitmusScript) -> [LitmusAftermath] {
        script.hasSeveralPages ? allCases : script.writes ? [.commitFirst, .lastPageFirst] : [.commitFirst]
    }
}

extension LitmusScript {
    /// Whether a healthy disk can show what the script does: failed calls and forced unit access need a faulty or a bare one.
    package var isExecutable: Bool {
        profiles == Profile.filesystems
            && !run.contains { $0.words.contains("fail") || $0.words.contains("write-fua") }
    }

    /// Whether it matters which page of a file is written back first.
    var hasSeveralPages: Bool {
        run.contains { step in
            step.words.contains { word in Int(word.split(separator: "*").last ?? "").map { $0 > 4096 } ?? false }
                || step.words.first == "write" && step.words[2] != "0"
        }
    }

    /// Whether it changes the data of a file.
    var writes: Bool { run.contains { step in step.words.contains { $0.contains("*") } } }
}
