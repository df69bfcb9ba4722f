import Bytes
import Exploration
import Foundation
import Glibc
import Machine
import Model
import Oracle
import Runs
import Storage
import Targets

/// The files in the run directory of a stopped exploration that --resume needs: its progress (`progress.json`) and the
/// hashes of the recovered states (`states.bin`), beside the recorded trace, the oracle and the result.
///
/// `states.bin`: the eight bytes `FLSTATES`, then as u64 a version, the CRC32C of `progress.json` and the number of
/// states; 16 bytes for each state; and the CRC32C of all these bytes as u32. Little-endian.
struct ExplorationFiles {
    package let directory: ByteString

    private struct Saved: Codable {
        /// The version of this file and of the findings in result.json; nil in files of version 1.
        var version: Int?
        /// The options that the resumed run must share, without limits.
        var options: [String]
        /// The checksums of the recorded trace and the oracle.
        var trace: FileSeal?
        var oracle: FileSeal?
        var progress: ExplorationProgress
        /// The progress of each profile that was begun, if there are several.
        var profiles: [ProfileProgress]?
        var unresolved: UnresolvedChecks

        private enum CodingKeys: String, CodingKey {
            case version, options, trace, oracle, progress, profiles
            case unresolved = "doubts"
        }
    }

    /// The progress of the exploration under one of several profiles.
    struct ProfileProgress: Codable {
        package var result: RunResult.UnderProfile
        package var progress: ExplorationProgress
    }

    /// Why the checks of the run so far may be incomplete. A resumed run keeps them.
    struct UnresolvedChecks: Codable {
        package var unconfirmed: Int
        package var unjudged: [String]
        package var notTried: [Check]
        package var undetected: [String]
        package var notMinimised: [Check: Int]?
        package var attributed: [KnownOutcome]?

        private enum CodingKeys: String, CodingKey {
            case unconfirmed, unjudged, notTried
            case undetected = "unflagged"
            case notMinimised, attributed
        }

        package init(of tally: RunTally) {
            unconfirmed = tally.unconfirmed
            unjudged = tally.unjudged.sorted()
            notTried = tally.notTried.sorted()
            undetected = tally.undetected.sorted()
            notMinimised = tally.notMinimised
            attributed = tally.attributed.map { known, states in
                KnownOutcome(finding: known, findings: 0, states: 0, attributed: states)
            }
        }

        package func add(to tally: inout RunTally, known: [KnownFinding]) {
            tally.unconfirmed += unconfirmed
            tally.unjudged.formUnion(unjudged)
            tally.notTried.formUnion(notTried)
            tally.undetected.formUnion(undetected)
            tally.notMinimised.merge(notMinimised ?? [:], uniquingKeysWith: +)
            for outcome in attributed ?? [] {
                // What is not known any more is not accepted.
                if known.contains(outcome.finding) {
                    tally.attributed[outcome.finding, default: 0] += outcome.attributed ?? 0
                } else {
                    tally.notMinimised[outcome.finding.check, default: 0] += outcome.attributed ?? 0
                }
            }
        }
    }

    private static let magic: UInt64 = 0x5345_5441_5453_4C46
    private static let version: UInt64 = 1
    /// Version 1 told findings apart by their words, or by the check alone if nothing was lost. Version 3 added the
    /// checksums of trace and oracle.
    private static let progressVersion = 3

    private func file(_ name: String) -> ByteString { directory.appending(component: ByteString(name)) }
    package var trace: ByteString { file("recorded.trace") }
    package var oracle: ByteString { file("oracle.jsonl") }

    package func write(
        _ explorer: Explorer, _ profiles: [ProfileProgress], _ tally: RunTally, _ options: [String]
    ) throws {
        let saved = Saved(
            version: Self.progressVersion, options: options, trace: try FileSeal(of: trace),
            oracle: try FileSeal(of: oracle), progress: explorer.progress,
            profiles: profiles.isEmpty ? nil : profiles,
            unresolved: UnresolvedChecks(of: tally))
        let progress = try JSONText.bytes(of: saved, .object)
        try OutputFile.create(file("progress.json"), progress)
        var text = ByteWriter(reserving: 32 + 16 * explorer.progress.counts.checked)
        text.append(Self.magic)
        text.append(Self.version)
        text.append(UInt64(CRC32C.checksum(progress)))
        let countPlace = text.count
        text.append(UInt64(0))
        var count: UInt64 = 0
        explorer.forEachRecovered { hash in
            text.append(hash.high)
            text.append(hash.low)
            count += 1
        }
        text.replace(at: countPlace, with: count)
        text.append(text.withBytes { CRC32C.checksum($0) })
        try OutputFile.create(file("states.bin"), text.bytes)
    }

    /// Throws if a run with these options cannot resume this one. It does not read all files.
    ///
    /// - Parameter program: the name of this program in the command that can resume it.
    package func check(_ options: [String], program: String) throws { _ = try saved(options, program: program) }

    /// Reads the state of a stopped run with these options.
    package func read(
        _ options: [String], program: String
    ) throws -> (EarlierExploration, profiles: [ProfileProgress], UnresolvedChecks) {
        let (saved, checksum) = try saved(options, program: program)
        let earlier = EarlierExploration(progress: saved.progress, states: try states(of: checksum))
        return (earlier, saved.profiles ?? [], saved.unresolved)
    }

    private func saved(_ options: [String], program: String) throws -> (Saved, checksum: UInt32) {
        guard RunFiles.size(of: file("progress.json")) > 0 else {
            let isWhole = (try? result())?.scenario == .explore
            throw RunError.harness(
                isWhole
                    ? "\(directory.shown) came to its end: there is nothing to go on with, and its result.json stands"
                    : "\(directory.shown) has no progress.json: it is no exploration that was stopped")
        }
        let saved: Saved
        let text = try RunFiles.read(file("progress.json"), followingLinks: false)
        do {
            saved = try JSONDecoder().decode(Saved.self, from: Data(text))
        } catch let error as DecodingError {
            throw RunError.harness("\(file("progress.json").shown) is damaged: \(JSONText.words(error))")
        }
        guard saved.version == Self.progressVersion else {
            throw RunError.harness(
                "\(directory.shown) was left by another version of faultline, whose findings cannot be continued: "
                    + "explore anew, without --resume")
        }
        guard saved.progress.isPlausible, saved.profiles?.allSatisfy({ $0.progress.isPlausible }) ?? true else {
            throw RunError.harness("\(file("progress.json").shown) is damaged: no exploration can have come so far")
        }
        guard saved.options == options else {
            let words = [program] + saved.options + ["--resume", directory.shown]
            throw RunError.harness(
                "\(directory.shown) was explored with other options; continue with: "
                    + words.map { ReproduceScript.quoted($0) }.joined(separator: " "))
        }
        // A truncated or different trace would have fewer states, and a pass would mean nothing.
        try saved.trace?.require(trace)
        try saved.oracle?.require(oracle)
        return (saved, CRC32C.checksum(text))
    }

    private func states(of progress: UInt32) throws -> StateIndex {
        let path = file("states.bin")
        let bytes = try RunFiles.read(path, followingLinks: false)
        func damaged(_ offset: Int, _ what: String) -> RunError {
            .harness("\(path.shown) is damaged at byte \(offset): \(what)")
        }
        let index = try StateIndex()
        try bytes.withUnsafeBytes { buffer in
            var reader = ByteReader(buffer)
            guard reader.integer(UInt64.self) == Self.magic else { throw damaged(0, "it does not begin with FLSTATES") }
            guard reader.integer(UInt64.self) == Self.version else { throw damaged(8, "another version") }
            guard reader.integer(UInt64.self) == UInt64(progress) else {
                throw damaged(16, "it does not belong to this progress.json, or that is damaged")
            }
            guard let count = reader.integer(UInt64.self), reader.remainingBytes >= 4,
                count == UInt64(reader.remainingBytes - 4) / 16, (reader.remainingBytes - 4) % 16 == 0
            else { throw damaged(24, "the number of states is not that of the bytes") }
            let checksum = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: buffer[..<(buffer.count - 4)]))
            for _ in 0..<count {
                guard let high = reader.integer(UInt64.self), let low = reader.integer(UInt64.self) else { break }
                _ = try index.insert(StateHash(high: high, low: low), 0)
            }
            guard reader.integer(UInt32.self) == checksum else {
                throw damaged(buffer.count - 4, "the checksum is wrong")
            }
        }
        return index
    }

    private func result() throws -> RunResult {
        let text = try RunFiles.read(file("result.json"), followingLinks: false)
        do { return try JSONDecoder().decode(RunResult.self, from: Data(text)) } catch {
            throw RunError.harness("\(file("result.json").shown) is damaged: \(JSONText.words(error))")
        }
    }

    /// The findings of the stopped run. Their cases are copied, because the old directory may be moved or deleted.
    package func findings(into writer: CaseWriter) throws -> [Finding] {
        try result().findings.map { finding in
            var finding = finding
            // Do not print commands from a directory that may come from elsewhere; make them again.
            (finding.replay, finding.recheck) = (nil, nil)
            if let shown = finding.case {
                let new = try copy(caseAt: shown, into: writer)
                (finding.case, finding.replay) = (new.shown, writer.command("replay", new))
                finding.recheck = writer.command("recheck", new)
            }
            return finding
        }
    }

    /// The unstable states of the stopped run, with copies of their cases.
    package func unstable(into writer: CaseWriter) throws -> [UnstableState] {
        try (result().unstable ?? []).map { state in
            var state = state
            state.replay = nil
            if let shown = state.case {
                let new = try copy(caseAt: shown, into: writer)
                (state.case, state.replay) = (new.shown, writer.command("replay", new))
            }
            return state
        }
    }

    private func copy(caseAt shown: String, into writer: CaseWriter) throws -> ByteString {
        // The run directory may have been renamed: find the case by its name in `cases`.
        let name = ByteString(String(shown.split(separator: "/").last ?? ""))
        try RunFiles.refuseLink(file("cases"))
        let old = file("cases").appending(component: name)
        guard !["", ".", ".."].contains(name), RunFiles.exists(old) else {
            throw RunError.harness("\(old.shown), the case of a finding of that run, is not there any more")
        }
        try RunFiles.requireFilesAndDirectories(in: old)
        return try writer.context.makeCase { directory, _ in
            try TreeCopy.fill(directory, from: old)
            try CaseImage.close(in: directory)
        }
    }

    /// Puts the recorded trace and the oracle into the new run's directory; the trace as a hard link if possible.
    package func share(with context: RunContext) throws {
        try RunFiles.refuseLink(oracle)
        // Without the oracle every state would seem to contain data that was never written.
        guard RunFiles.exists(oracle) else { throw TreeError.system(call: "open", path: oracle, errno: ENOENT) }
        try OraclePrefix(path: oracle, countBytes: RunFiles.size(of: oracle)).copy(to: context.oracle)
        let copy = context.file("recorded.trace")
        if RunFiles.link(trace, copy) { return }
        let file = try OutputFile(copy, .create, permissions: 0o600, isDurable: false)
        try RunFiles.forEachChunk(of: trace, followingLinks: false) { try file.write($0) }
        try file.commit()
    }
}
