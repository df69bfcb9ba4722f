import Foundation
import Litmus
import Model
import Testing

/// Each script holds the complete set of outcomes of every profile. `FAULTLINE_UPDATE_LITMUS=1 swift test --filter
/// Litmus` writes the scripts anew; read the difference before you commit it.
struct LitmusTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Scripts")
    static let names = try! FileManager.default.contentsOfDirectory(atPath: folder.path)
        .filter { $0.hasSuffix(".litmus") }.sorted()

    @Test(arguments: names) func `each profile has exactly the outcomes of the script`(_ name: String) throws {
        let url = LitmusTests.folder.appending(path: name)
        let text = try String(contentsOf: url, encoding: .utf8)
        let script = try LitmusScript(name: name, text: text)
        let trace = try LitmusTrace(script)
        let outcomes = try script.profiles.map { ($0, try trace.outcomes($0, unitBytes: script.unitBytes)) }
        let regenerated = script.text(outcomes: outcomes)
        if ProcessInfo.processInfo.environment["FAULTLINE_UPDATE_LITMUS"] != nil {
            try regenerated.write(to: url, atomically: true, encoding: .utf8)
        } else {
            #expect(regenerated == text)
        }
    }

    /// A stronger profile allows no tree that a weaker one forbids.
    @Test(arguments: names) func `a stronger profile allows no outcome that a weaker one forbids`(_ name: String) throws
    {
        let text = try String(contentsOf: LitmusTests.folder.appending(path: name), encoding: .utf8)
        let script = try LitmusScript(name: name, text: text)
        let trace = try LitmusTrace(script)
        guard script.profiles == Profile.filesystems else { return }
        let chains: [[Profile]] = [
            [.kill, .strict, .ext4Journal, .ext4Ordered, .ext4Writeback, .posixMin], [.xfs, .posixMin],
            [.btrfs, .posixMin],
        ]
        for chain in chains {
            for (stronger, weaker) in zip(chain, chain.dropFirst()) {
                let allowed = Set(try trace.outcomes(weaker, unitBytes: script.unitBytes))
                for outcome in try trace.outcomes(stronger, unitBytes: script.unitBytes) {
                    #expect(allowed.contains(outcome), "\(stronger.rawValue) allows what \(weaker.rawValue) forbids")
                }
            }
        }
    }
}
