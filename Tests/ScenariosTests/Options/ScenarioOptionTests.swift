import Bytes
import Foundation
import Oracle
import Report
import Targets
import Testing

@testable import Matrices
@testable import Runs
@testable import Scenarios

/// Options are declared once: what commands, matrices, cases and docs say of them follows.
struct ScenarioOptionTests {
    private static let catalog = TargetCatalog(driver: "/nowhere/faultline-target")

    /// Each option of each scenario, with a value that is not its default; what goes with it, and what is printed.
    static let given: [(scenario: ScenarioName, values: [String: [String]], printed: String)] = [
        (.smoke, ["cycles": ["3"]], ""),
        (.kill, ["cycles": ["7"]], "--cycles 7"),
        (.kill, ["kill-at-ack": ["5"]], "--cycles 10 --kill-at-ack 5"),
        (.kill, ["kill-at-file": ["*.log"]], "--cycles 10 --kill-at-file *.log"),
        (.powerCut, ["cycles": ["0"]], "--cycles 0"),
        (
            .powerCut, ["cut-at": ["recovery", "unlink nth=2 -> crash"]],
            "--cut-at recovery --cut-at unlink nth=2 -> crash --cycles 1"
        ),
        (.powerCut, ["cut-at": ["work"], "cycles": ["3"]], "--cut-at work --cycles 3"),
        (
            .powerCut, ["budget": ["2m"], "partial": ["true"], "with-init": ["true"]],
            "--cycles 2 --with-init --budget 120 --partial"
        ),
        (
            .ioError, ["rule": ["fsync nth=3 -> EIO", "write -> ENOSPC"]],
            "--cycles 1 --rule fsync nth=3 -> EIO --rule write -> ENOSPC"
        ),
        (
            .ioError, ["sweep": ["true"], "cycles": ["2"], "budget": ["9"], "partial": ["true"]],
            "--cycles 2 --sweep --budget 9 --partial"
        ),
        (
            .ioError, ["family": ["fsync-lose-xfs", "fsync-eio", "fsync-eio"]],
            "--cycles 1 --family fsync-lose-xfs --family fsync-eio"
        ),
        (.explore, ["epoch-states": ["64"], "samples": ["4"]], "--epoch-states 64 --samples 4"),
        (.explore, ["decide": ["true"]], "--epoch-states 65536 --samples 256 --decide"),
        (
            .explore, ["depth": ["2"], "writable": ["true"], "commands": ["true"], "with-init": ["true"]],
            "--epoch-states 65536 --samples 256 --depth 2 --writable --with-init --commands"
        ),
        (
            .explore, ["workloads": ["small"], "length": ["2"]],
            "--epoch-states 65536 --samples 256 --workloads small --length 2"
        ),
        (
            .explore,
            [
                "rule": ["fsync -> EIO"], "states": ["9"], "budget": ["5s"], "partial": ["true"], "hangs": ["2"],
                "no-fix": ["true"], "barriers": ["true"],
            ],
            "--epoch-states 65536 --samples 256 --rule fsync -> EIO --barriers --states 9 --budget 5 --partial --hangs 2 --no-fix"
        ),
        (.explore, ["block": ["xfs"]], "--block xfs --epoch-states 64 --samples 16"),
        (
            .explore, ["block": ["ext4"], "sector": ["512"], "fsck": ["3"], "samples": ["5"]],
            "--block ext4 --sector 512 --fsck 3 --epoch-states 64 --samples 5"
        ),
        (
            .block, ["fs": ["btrfs"], "sector": ["512"], "fsck": ["1"], "epoch-states": ["9"], "samples": ["2"]],
            "--fs btrfs --sector 512 --fsck 1 --epoch-states 9 --samples 2"
        ),
        (
            .explore, ["block": ["ext4"], "trace": ["run.trace"]],
            "--block ext4 --trace run.trace --epoch-states 64 --samples 16"
        ),
        (
            .logWrites,
            [
                "fs": ["xfs"], "sector": ["512"], "fsck": ["1"], "epoch-states": ["9"], "samples": ["2"],
                "states": ["9"],
                "budget": ["5s"], "partial": ["true"], "hangs": ["2"],
            ],
            "--fs xfs --sector 512 --fsck 1 --epoch-states 9 --samples 2 --states 9 --budget 5 --partial --hangs 2"
        ),
        (
            .powerOff,
            [
                "fs": ["btrfs"], "sector": ["512"], "fsck": ["1"], "epoch-states": ["9"], "samples": ["2"],
                "states": ["9"],
                "budget": ["5s"], "partial": ["true"], "hangs": ["2"],
            ],
            "--fs btrfs --sector 512 --fsck 1 --epoch-states 9 --samples 2 --states 9 --budget 5 --partial --hangs 2"
        ),
        (.flakey, [:], "--fs ext4 --cycles 1"),
        (
            .flakey,
            [
                "fault": ["corrupt_bio_byte", "error_writes", "error_writes"], "at": ["during"], "fs": ["xfs"],
                "size": ["400"], "cycles": ["3"], "key-len": ["8"], "duration": ["1m"],
            ],
            "--fault corrupt_bio_byte --fault error_writes --at during --fs xfs --size 400 --cycles 3 --key-len 8 "
                + "--duration 60s"
        ),
        (.soak, ["duration": ["8h"], "life": ["900"]], "--duration 28800s --life 900"),
        (
            .block, ["rule": ["fsync -> EIO"], "states": ["9"], "budget": ["5s"], "partial": ["true"], "hangs": ["2"]],
            "--fs ext4 --epoch-states 64 --samples 16 --rule fsync -> EIO --states 9 --budget 5 --partial --hangs 2"
        ),
    ]

    @Test(arguments: given)
    func `what a command says is what was given, and says it again`(
        scenario: ScenarioName, values: [String: [String]], printed: String
    ) throws {
        let type = try #require(ScenarioList.named(scenario))
        let read = try type.reading(values, in: .commandLine)
        let words = read.words(limits: false) + read.words(limits: true)
        #expect(words.joined(separator: " ") == printed)
        var again: [String: [String]] = [:]
        for option in type.declarations where !read.texts(of: option.name).isEmpty {
            again[option.name] = read.texts(of: option.name)
        }
        let readAgain = try type.reading(again, in: .commandLine)
        #expect(readAgain.words(limits: false) + readAgain.words(limits: true) == words)
    }

    @Test func `every option that is not obsolete has a row above`() {
        for scenario in ScenarioList.all {
            let tried = Set(Self.given.filter { $0.scenario == scenario.name }.flatMap(\.values.keys))
            let names = scenario.declarations.filter { !$0.isObsolete }.map(\.name)
            // These two name files: see the tests of the command line.
            #expect(Set(names).subtracting(tried).isSubset(of: ["rules", "resume"]), "\(scenario.name)")
        }
    }

    @Test(arguments: given)
    func `a cell of a matrix takes the same options`(
        scenario: ScenarioName, values: [String: [String]], printed: String
    ) throws {
        let type = try #require(ScenarioList.named(scenario))
        let keys = values.map { name, texts in
            let list = texts.map { "\"\($0)\"" }.joined(separator: ", ")
            return "\(OptionPlace.matrix.spelling(of: name)): " + (texts.count == 1 ? list : "[\(list)]")
        }
        let cell = (["target: engine", "scenario: \(scenario)"] + keys).joined(separator: ", ")
        let matrix = try Self.matrix("cells: [{\(cell)}]")
        let read = try #require(matrix.cells.first).request.scenario
        let given = try type.reading(values, in: .commandLine)
        #expect(read.words(limits: false) == given.words(limits: false))
        #expect(read.words(limits: true) == given.words(limits: true))
    }

    @Test(
        arguments: [
            (ScenarioName.kill, ["cut-at": ["work"]], "--cut-at is for --scenario power-cut"),
            (
                .smoke, ["budget": ["5"]],
                "--budget is for --scenario power-cut, io-error, explore, block, log-writes and power-off"
            ),
            (.ioError, ["depth": ["2"]], "--depth is for faultline explore"),
            (
                .kill, ["kill-at-ack": ["1"], "kill-at-file": ["a"]],
                "--kill-at-ack and --kill-at-file exclude each other"
            ),
            (.ioError, ["sweep": ["true"], "rules": ["f"]], "--sweep and --rules exclude each other"),
            (.ioError, ["family": ["fsync-eio"], "rule": ["fsync -> EIO"]], "--family and --rule exclude each other"),
            (.ioError, ["family": ["fsync"]], "--family cannot be fsync (write-eio, "),
            (.explore, ["length": ["2"]], "--length means nothing without --workloads"),
            (.powerCut, ["cut-at": ["work"], "cycles": ["0"]], "--cut-at asks for cuts, and --cycles 0 for none"),
            (.powerCut, ["cycles": ["many"]], "--cycles must be a whole number from 0 to 1000, not many"),
            (.powerCut, ["budget": ["soon"]], "--budget is a time, such as 60s or 10m, not soon"),
            (
                .ioError, ["rule": ["any -> crash"]],
                "--rule: 'any -> crash' cuts the power: that is --scenario power-cut"
            ),
            (.explore, ["rule": ["any -> crash"]], "explore tries that at every moment"),
            (.explore, ["fsck": ["2"]], "--fsck means nothing without --block"),
            (.explore, ["block": ["zfs"]], "--block must be one of ext4, "),
            (.block, ["fs": ["ext3"]], "--fs must be one of ext4, "),
            (.block, ["sector": ["1024"]], "--sector must be 512 or 4096, not 1024"),
            (.kill, ["kill-at-ack": ["0"]], "--kill-at-ack must be a whole number from 1"),
        ] as [(ScenarioName, [String: [String]], String)])
    func `options that do not belong together are refused with a reason`(
        scenario: ScenarioName, values: [String: [String]], reason: String
    ) throws {
        let type = try #require(ScenarioList.named(scenario))
        let problem = #expect(throws: OptionProblem.self) { try type.reading(values, in: .commandLine) }
        #expect(problem?.text(in: .commandLine).contains(reason) == true, "\(String(describing: problem))")
    }

    @Test(arguments: [
        ("scenario: kill, cut_at: work", "cut_at is for scenario: power-cut"),
        ("scenario: [kill, smoke], states: 4", "states is for scenario: explore, block, log-writes and power-off"),
        (
            "scenario: smoke, partial: true",
            "partial is for scenario: power-cut, io-error, explore, block, log-writes and power-off"
        ),
        ("scenario: kill, kill_at_ack: 100", "kill_at_ack must be a whole number from 1 to 99, or no kill lands"),
        ("scenario: kill, kill_at_ack: 1, kill_at_file: a", "kill_at_ack and kill_at_file exclude each other"),
        ("scenario: io-error, sweep: true, rule: \"fsync -> EIO\"", "sweep and rule exclude each other"),
        ("scenario: power-cut, cut_at: work, cycles: 0", "cut_at asks for cuts, and cycles 0 for none"),
        ("scenario: [explore, kill], profile: all", "profile all is for explore; kill works under one"),
        ("scenario: explore, profile: all, depth: 2", "profile all goes with none of depth 2, writable"),
        ("scenario: kill, threads: 2, contract: ordered", "contract ordered is for one client"),
        ("scenario: explore, depth: 3", "depth must be a whole number from 1 to 2, not 3"),
        ("scenario: explore, resume: x", "a cell has no key resume"),
    ])
    func `in a matrix too, in its words and with the line`(keys: String, reason: String) throws {
        let error = #expect(throws: YAMLError.self) { try Self.matrix("cells:\n  - {target: engine, \(keys)}") }
        #expect(error?.description.hasPrefix("m.yaml:2: \(reason)") == true, "\(String(describing: error))")
    }

    /// What no scenario of an entry takes is refused; what one takes is for that one.
    @Test func `an option of an entry is for its scenarios that have it`() throws {
        let matrix = try Self.matrix(
            "cells: [{target: engine, scenario: [smoke, kill, power-cut], cycles: 3, cut_at: work, budget: 9}]")
        #expect(
            matrix.cells.map { $0.request.scenario.words(limits: false) + $0.request.scenario.words(limits: true) } == [
                [], ["--cycles", "3"], ["--cut-at", "work", "--cycles", "3", "--budget", "9"],
            ])
    }

    /// A scenario without the option gets one cell.
    @Test func `a list of values gives a cell for each`() throws {
        let matrix = try Self.matrix(
            "cells: [{target: engine, scenario: [smoke, block], fs: [ext4, xfs], ops: 20, budget: [9, 8]}]")
        let cells = matrix.cells.map { cell in
            let scenario = cell.request.scenario
            let words = scenario.words(limits: false) + scenario.words(limits: true)
            return ["--fs", "--budget"].compactMap { words.firstIndex(of: $0) }.map { words[$0 + 1] }
        }
        #expect(cells == [[], ["ext4", "9"], ["xfs", "9"], ["ext4", "8"], ["xfs", "8"]])
    }

    @Test func `the page of the scenarios is what the declarations say`() throws {
        let page = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../docs/scenarios.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        #expect(text == ScenarioReport.page, "write it with: faultline scenarios --page > docs/scenarios.md")
    }

    @Test func `the page of matrices explains or points to every key`() throws {
        let page = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../docs/matrix.md")
        let text = try String(contentsOf: page, encoding: .utf8) + ScenarioReport.page
        for key in MatrixFile.keys {
            #expect(text.contains("\(key): ") || text.contains("`\(key)`"), "\(key)")
        }
    }

    private static func matrix(_ text: String) throws -> Matrix {
        let defaults = MatrixFile.Defaults(seed: 1, profile: .ext4Ordered, operationCount: 100, cycles: nil)
        return try MatrixFile(catalog, defaults).matrix(Array(text.utf8), file: "m.yaml")
    }
}
