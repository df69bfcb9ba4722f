import Block
import Bytes
import Exploration
import Foundation
import Litmus
import Machine
import Model
import Report
import Runs
import Testing

@testable import Scenarios

/// What scripts on real filesystems need; what is missing is said once.
private let isAble: Bool = {
    let driver = Requirement("the driver", met: true, "there")
    guard let obstacle = Doctor(driver: driver).obstacle(to: [.root, .fuse, .loopDevices]) else { return true }
    print("SKIPPED: litmus scripts on real filesystems: \(obstacle)")
    return false
}()

/// Each litmus script on the real filesystems of this kernel: what is found after a crash must be what the profile allows.
/// Where a kernel contradicts the model the kernel is right, and the profile must be mended.
///
/// A reduced run: few states of each epoch of the device. `faultline litmus Tests/ModelTests/Scripts --fs all` is the whole;
/// its table is in docs/crash-model.md. `FAULTLINE_LITMUS=NAME` runs scripts of that name alone,
/// `FAULTLINE_RANDOM_LITMUS=150` as many random ones.
@Suite(.enabled(if: isAble), .serialized)
struct FilesystemLitmusTests {
    static let scripts: [LitmusScript] = {
        let folder = LitmusPage.root.appending(path: "Tests/ModelTests/Scripts")
        let wanted = ProcessInfo.processInfo.environment["FAULTLINE_LITMUS"]
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".litmus") && (wanted == nil || $0.contains(wanted!)) }.sorted()
            .map { name in
                let text = try! String(contentsOf: folder.appending(path: name), encoding: .utf8)
                return try! LitmusScript(name: String(name.dropLast(7)), text: text)
            }
            .filter(\.isExecutable)
    }()

    private static let randomCount =
        ProcessInfo.processInfo.environment["FAULTLINE_RANDOM_LITMUS"].flatMap { Int($0) } ?? 3

    private static let filesystems: [BlockFilesystem] = [.ext4, .xfs, .btrfs]

    @Test func `there are litmus scripts`() {
        #expect(!Self.scripts.isEmpty, "FAULTLINE_LITMUS names none")
    }

    @Test(arguments: filesystems) func `scripts leave no state that the profile forbids`(_ filesystem: BlockFilesystem)
        throws
    {
        let (count, place) = (Self.filesystems.count, Self.filesystems.firstIndex(of: filesystem)!)
        try withLaboratory(filesystem) { laboratory in
            // Each script on one of them; all on each take minutes.
            let isAll = ProcessInfo.processInfo.environment["FAULTLINE_LITMUS"] != nil
            for (number, script) in Self.scripts.enumerated() where isAll || number % count == place {
                try look(laboratory, script)
            }
        }
    }

    /// Scripts that nobody thought of, each of a seed, with edges anywhere.
    @Test(arguments: BlockFilesystem.allCases.filter { $0.profile != nil })
    func `random scripts leave no state that the profile forbids`(_ filesystem: BlockFilesystem) throws {
        try withLaboratory(filesystem) { laboratory in
            let seeds = (0 as UInt64..<1000).lazy.compactMap { try? TraceGenerator.script(seed: $0) }
            for script in seeds.filter(\.isExecutable).prefix(Self.randomCount) { try look(laboratory, script) }
        }
    }

    /// What is seen is not only what is there anyway, and a profile that allows too little does not pass.
    @Test func `states are seen that a stronger profile forbids`() throws {
        try withLaboratory(.ext4) { laboratory in
            let name = "05-append-then-crash"
            guard let script = Self.scripts.first(where: { $0.name == name }) else { return }
            let seen = Set(try laboratory.observe(script).seen.map(\.outcome))
            let strict = Set(try LitmusTrace(script).outcomes(.strict, unitBytes: script.unitBytes))
            #expect(seen.count > 1)
            #expect(!seen.subtracting(strict).isEmpty, "\(seen)")
        }
    }

    private func look(_ laboratory: LitmusLaboratory, _ script: LitmusScript) throws {
        let found = try laboratory.observe(script)
        #expect(!found.seen.isEmpty, "\(script.name)")
        #expect(found.broken.isEmpty, "\(script.name) on \(found.filesystem.rawValue): \(found.broken)")
        for forbidden in found.forbidden {
            Issue.record(
                """
                \(script.name) on \(found.filesystem.rawValue), step \(forbidden.step), \(forbidden.aftermath.rawValue): seen, \
                but \(found.filesystem.profile?.rawValue ?? "") forbids it: \(forbidden.outcome)
                \(script.text(outcomes: []))
                """)
        }
    }

    private func withLaboratory(_ filesystem: BlockFilesystem, _ body: (LitmusLaboratory) throws -> Void) throws {
        guard filesystem.isInKernel else {
            print("SKIPPED: \(filesystem.rawValue): \(BlockError.unknownFilesystem(filesystem.type))")
            return
        }
        guard FilesystemTool.find(filesystem.makeWords(sectorBytes: 4096)[0]) != nil else {
            print("SKIPPED: \(filesystem.rawValue): `sudo apt-get install \(filesystem.package)`")
            return
        }
        let folder = FileManager.default.temporaryDirectory.appending(path: "faultline-litmus-\(UUID().uuidString)")
            .path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let run = try RunDirectory(in: ByteString(folder), target: "litmus", scenario: filesystem.rawValue, seed: 1)
        var limits = LitmusLaboratory.defaultLimits
        (limits.statesPerEpoch, limits.samplesPerEpoch, limits.pairedAtoms) = (4, 1, 0)
        let result = Result {
            try body(
                try LitmusLaboratory(filesystem, driver: Self.driver, try RunContext(run, wording: English()), limits))
        }
        try run.finish()
        try result.get()
    }

    /// The program that does what scripts say, from the same build as the tests.
    private static let driver: ByteString = {
        let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL
        let beside = (bundle ?? URL(filePath: CommandLine.arguments[0])).deletingLastPathComponent()
        return ByteString(beside.appending(path: "faultline-target").path)
    }()
}
