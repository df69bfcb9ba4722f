import Block
import Bytes
import Exploration
import Glibc
import Machine
import Model
import Oracle
import Runs
import Storage

extension ExploreRun {
    /// Takes a recording of a device that was made elsewhere: its trace and the oracle in it become those of this run.
    func readRecording(_ path: ByteString, _ block: BlockSetup) throws -> Recording {
        var recording = try Recording(tracePath: path, context.memory)
        guard let inode = recording.base[DirectoryEntry(.root, ImageRecovery.diskName)],
            let disk = recording.base.nodes[inode]
        else {
            throw RunError.harness(
                "\(path.shown) is no trace of a device: it has no file \(ImageRecovery.diskName) "
                    + "(`faultline trace import` makes one of a write log)")
        }
        guard disk.sizeBytes <= block.filesystem.sizeBytes else {
            throw RunError.harness(
                "\(path.shown): its device has \(disk.sizeBytes >> 20) MiB, and images of \(block.filesystem.rawValue) "
                    + "have \(block.filesystem.sizeBytes >> 20)")
        }
        recording.sectorBytes = block.sectorBytes
        let copy = context.file("recorded.trace")
        if !RunFiles.link(path, copy) {
            let file = try OutputFile(copy, .create, permissions: 0o600, isDurable: false)
            try RunFiles.forEachChunk(of: path) { try file.write($0) }
            try file.commit()
        }
        let oracle = try OutputFile(context.oracle, .create, permissions: 0o600, isDurable: false)
        for (_, line) in recording.oracleLines {
            try oracle.write(try recording.payloads.bytes(of: line) + [UInt8(ascii: "\n")])
        }
        try oracle.commit()
        guard !recording.oracleLines.isEmpty else {
            throw RunError.inconclusive(
                "\(path.shown) has no oracle line: nothing in it was acknowledged (`faultline trace import --oracle`)")
        }
        return recording
    }
}
