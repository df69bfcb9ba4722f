import Bytes
import Runs
import Scenarios

/// Describes a run on a real filesystem.
enum BlockLines {
    /// `ext4 6.18`
    static func name(_ block: RunResult.Block) -> String { "\(block.filesystemName) \(block.shortKernel)" }

    static func lines(_ block: RunResult.Block) -> [String] {
        let sectors =
            block.sectorBytes == 512 ? "sectors of 512 bytes, which tear what filesystems take for whole" : ""
        let what = [
            "\(block.filesystemName) on Linux \(block.kernel): \(block.images.counted("image")) mounted",
            "\(block.checkedByFilesystem) checked by \(block.checkerName)", sectors,
        ].filter { !$0.isEmpty }
        let total = block.seconds.values.reduce(0, +)
        guard total > 0 else { return [what.joined(separator: ", ")] }
        let shares = block.steps.map { "\($0.name) \(Int(($0.seconds / total * 100).rounded())) %" }
        return [what.joined(separator: ", "), "their time: " + shares.joined(separator: ", ")]
    }
}
