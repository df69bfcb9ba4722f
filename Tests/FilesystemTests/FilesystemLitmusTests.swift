import Foundation
import Glibc
import Litmus
import Model
import Synchronization
import Testing

let canMountLoopDevices: Bool = {
    if geteuid() == 0, (try? run(["losetup", "-f"])) != nil {
        StaleLoops.remove()
        return true
    }
    print("SKIPPED: litmus scripts on real filesystems need root and loop devices")
    return false
}()

/// Each litmus script on the real filesystems of this kernel: what is found after a crash must be what the profile
/// allows. Where a kernel contradicts the model the kernel is right, and the profile must be mended.
///
/// Needs root. Each script runs on a fresh filesystem on a loop device; the image file is copied at several moments
/// after the last operation, without unmounting or syncing, and each copy is mounted, which recovers it.
@Suite(.enabled(if: canMountLoopDevices))
struct FilesystemLitmusTests {
    static let scripts: [LitmusScript] = {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "ModelTests/Scripts")
        let wanted = ProcessInfo.processInfo.environment["FAULTLINE_LITMUS"]
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".litmus") && (wanted == nil || $0.contains(wanted!)) }.sorted().map {
            name in
            let text = try! String(contentsOf: folder.appending(path: name), encoding: .utf8)
            return try! LitmusScript(name: String(name.dropLast(7)), text: text)
        }
    }()

    @Test func `there are litmus scripts`() {
        #expect(!FilesystemLitmusTests.scripts.isEmpty, "FAULTLINE_LITMUS names none")
    }

    static let table = Mutex(OutcomeTable())

    /// How many random scripts run on each filesystem; FAULTLINE_RANDOM_LITMUS asks for more.
    static let randomCount = ProcessInfo.processInfo.environment["FAULTLINE_RANDOM_LITMUS"].flatMap { UInt64($0) } ?? 40

    /// Scripts that nobody thought of, each of a seed, with edges anywhere.
    @Test(arguments: RealFilesystem.allCases) func `random scripts leave no state that the profile forbids`(
        _ filesystem: RealFilesystem
    )
        throws
    {
        try withLaboratory(filesystem, "random") { laboratory in
            var count = 0
            for seed in 0..<FilesystemLitmusTests.randomCount {
                let script = try TraceGenerator.script(seed: seed)
                if LitmusExecutor.isImpossible(script) { continue }
                count += 1
                let allowed = Set(try LitmusTrace(script).outcomes(filesystem.profile, unitBytes: script.unitBytes))
                let seen = try laboratory.outcomes(of: script)
                for outcome in seen.keys.sorted() where !allowed.contains(outcome) {
                    Issue.record(
                        """
                        seed \(seed) on \(filesystem.rawValue), \(seen[outcome]!): seen, but \
                        \(filesystem.profile.rawValue) forbids it: \(outcome)
                        \(script.text(outcomes: []))
                        """)
                }
            }
            #expect(count > 10)
        }
    }

    private func withLaboratory(
        _ filesystem: RealFilesystem, _ name: String, _ body: (CrashLaboratory) throws -> Void
    ) throws {
        guard exists(filesystem.tool) else {
            print("SKIPPED: no \(filesystem.tool) here: apt-get install \(filesystem.package)")
            return
        }
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "\(StaleLoops.prefix)\(getpid())-\(filesystem)-\(name)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let laboratory = try CrashLaboratory(filesystem, folder)
        defer { laboratory.close() }
        try body(laboratory)
    }

    @Test(arguments: RealFilesystem.allCases) func `litmus scripts leave no state that the profile forbids`(
        _ filesystem: RealFilesystem
    ) throws {
        defer { FilesystemLitmusTests.table.withLock { $0.finish(filesystem, FilesystemLitmusTests.scripts) } }
        try withLaboratory(filesystem, "scripts") { try runScripts(filesystem, $0) }
    }

    private func runScripts(_ filesystem: RealFilesystem, _ laboratory: CrashLaboratory) throws {
        for script in FilesystemLitmusTests.scripts where !LitmusExecutor.isImpossible(script) {
            let allowed = Set(try LitmusTrace(script).outcomes(filesystem.profile, unitBytes: script.unitBytes))
            let begin = ContinuousClock.now
            let seen = try laboratory.outcomes(of: script)
            if ProcessInfo.processInfo.environment["FAULTLINE_VERBOSE"] != nil {
                print("\(filesystem.rawValue) \(script.name) \(ContinuousClock.now - begin) \(seen)")
            }
            FilesystemLitmusTests.table.withLock { $0.enter(script.name, filesystem, allowed: allowed, seen: seen) }
            for outcome in seen.keys.sorted() where !allowed.contains(outcome) {
                Issue.record(
                    """
                    \(script.name) on \(filesystem.rawValue), \(seen[outcome]!): seen, but \
                    \(filesystem.profile.rawValue) forbids it: \(outcome)
                    """)
            }
        }
    }
}
