import Block
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
            block.recovered.map { "\($0) recovered\($0 < block.images ? " (the others hold the same files)" : "")" }
                ?? "",
            "\(block.checkedByFilesystem) checked by \(block.checkerName)", sectors,
        ].filter { !$0.isEmpty }
        let total = block.seconds.values.reduce(0, +)
        let shares = block.steps.map { "\($0.name) \(Int(($0.seconds / total * 100).rounded())) %" }
        let differed =
            block.recoveriesDiffered == true
            ? ["two recoveries of the same files differed: since then the store recovered in each image"] : []
        return [what.joined(separator: ", ")] + differed
            + (total > 0 ? ["their time: " + shares.joined(separator: ", ")] : [])
            + deviceFacts(block).map { "\($0.label): \($0.value)" }
    }

    /// The fault of the device, the reaction of the filesystem, and the same workload without the fault.
    static func deviceFacts(_ block: RunResult.Block) -> [(label: String, value: String)] {
        guard let device = block.device else { return [] }
        var facts: [(label: String, value: String)] = []
        if let fault = device.fault {
            facts.append(("the device's first fault", "\(fault.rule), at event \(fault.event)"))
        }
        if let reaction = device.reaction {
            facts.append(("\(block.filesystemName) after the workload", words(reaction)))
        }
        if let control = device.withoutFault { facts.append(("without the fault", words(control))) }
        return facts
    }

    private static func words(_ reaction: FilesystemReaction) -> String {
        let more = reaction.kernelLog.count - 1 + reaction.kernelLogLeftOut
        let rest = more > 0 ? " (and \(more.counted("more line", "more lines")) in result.json)" : ""
        return "\(reaction)\(rest)"
    }

    private static func words(_ control: RunResult.Device.Control) -> String {
        let explored = control.explored.map { $0.isPartial ? ", \($0) epochs" : "" } ?? ""
        let what = "\(control.decided.counted("state")) judged\(explored)"
        if let obstacle = control.obstacle { return "\(what); not known: \(obstacle)" }
        return control.findings > 0
            ? "\(what); the store loses data all the same, so that this is its own"
            : "\(what), and nothing is lost: what was lost after the fault is no result for the store"
    }
}
