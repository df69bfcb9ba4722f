import Bytes
import Storage
import Testing

@testable import Machine
@testable import Runs

extension CaseArchive {
    /// An archive that nobody looked through: what `case export` made before it read traces, and anybody else can make.
    static func packUnchecked(_ directory: ByteString, to path: ByteString) throws {
        var archive: [UInt8] = []
        for name in [CaseRecord.fileName, CaseRecord.traceName, CaseRecord.oracleName] {
            let bytes = try RunFiles.read(directory.appending(component: name))
            let header = TarHeader(name: folder.appending(component: name), sizeBytes: bytes.count)
            archive += try #require(header.encoded) + bytes
            archive += [UInt8](repeating: 0, count: TarHeader.padding(after: bytes.count))
        }
        try OutputFile.create(path, archive + [UInt8](repeating: 0, count: 2 * TarHeader.blockBytes))
    }
}
