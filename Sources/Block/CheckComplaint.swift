import Bytes

/// What a filesystem's checker complains of, without what it says of each image: its version, its phases, its counts.
enum CheckComplaint {
    private static let usual = [
        "e2fsck ", "Pass ", "Fix? no", "Clear? no", "Phase ", "- ", "[", "Opening filesystem", "Checking filesystem",
        "UUID:",
        "No modify flag set", "ERROR: errors found", "found ", "total ", "btree space", "file data blocks",
        "referenced ", "checksum ",
    ]
    private static let toldAtMost = 6

    /// `e2fsck -f -n exited with 4: Inode bitmap differences: +13 | … | and 3 more lines`
    static func words(of outcome: FilesystemTool.Outcome, _ words: [String], image: ByteString) -> String {
        // e2fsck ends with counts, and with what it said before, behind the image's name.
        let telling = outcome.lines.filter { line in !(usual + ["\(image):"]).contains { line.hasPrefix($0) } }
        // The image's own place says nothing.
        let told = (telling.isEmpty ? outcome.lines : telling).map { $0.replacing("\(image)", with: "the image") }
        let rest = told.count - toldAtMost
        let shown = told.prefix(toldAtMost) + (rest > 0 ? ["and \(rest.counted("more line", "more lines"))"] : [])
        return "\(words.joined(separator: " ")) \(outcome.ending): \(shown.joined(separator: " | "))"
    }
}
