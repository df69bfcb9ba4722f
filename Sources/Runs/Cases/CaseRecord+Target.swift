import Bytes
import Machine
import Targets

/// Targets of cases that do not ship with Faultline.
extension CaseRecord {
    /// The error for a case whose target's manifest was not given with --target and is not trusted.
    package func targetNotGiven(in directory: ByteString, _ targets: TargetCatalog) -> CaseError {
        let own = directory.appending(component: CaseRecord.manifestName)
        let words = (try? targets.target(own.shown)).map { [$0.workload, $0.recover] } ?? []
        let known = manifestPath.map { ByteString($0) }
        return .targetNotGiven(
            directory.appending(component: CaseRecord.fileName), target: target,
            place: known.flatMap { RunFiles.exists($0) ? $0 : nil },
            commands: words.map { $0.map(\.description).joined(separator: " ") })
    }

    /// The target that the case's own copy of the manifest describes. Its commands run in the original manifest's
    /// folder, if that exists on this machine.
    package func trustedTarget(in directory: ByteString, _ targets: TargetCatalog) throws -> Target {
        var trusted = try targets.target(directory.appending(component: CaseRecord.manifestName).shown)
        if let manifestPath {
            let folder = ByteString(RunResult.folder(of: manifestPath))
            if RunFiles.exists(folder) { trusted.directory = folder }
        }
        guard let folder = trusted.directory else { return trusted }
        for word in trusted.workload.prefix(1) + trusted.recover
        where word.bytes.starts(with: "./".utf8) || word.bytes.starts(with: "../".utf8) {
            guard RunFiles.exists(folder.appending(component: word)) else {
                throw CaseError.relativeCommand(
                    directory.appending(component: CaseRecord.fileName), target: target, word: word)
            }
        }
        return trusted
    }
}
