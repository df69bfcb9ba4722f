import Bytes
import Glibc
import Oracle
import Platform
import Testing

@testable import Targets

/// The real workload and recover commands on a plain directory, without faults.
@Suite struct BuiltInTargetTests {
    /// Planted bugs that show without a crash; another test checks that `smoke` finds them.
    static let showsWithoutFault: Set = ["engine planted=delete-unlogged"]

    @Test(arguments: try allConfigurations().filter { !showsWithoutFault.contains($0.label) })
    func `acknowledged operations survive`(target: ConfiguredTarget) throws {
        let folder = try TemporaryFolder()
        let store = folder.folder("store")
        try run(target, folder, seed: 5, operations: 1...30)
        let client = RecoverClient(target)
        #expect(try client.recoverAlone(store) == .opened(expected(seed: 5, 1...30)))
        // The second cycle continues on the surviving store, with rising numbers.
        try run(target, folder, seed: 5, operations: 31...50)
        #expect(try client.recover(store) == .opened(expected(seed: 5, 1...50)))
        #expect(try client.recover(store) == .opened(expected(seed: 5, 1...50)), "recovering again changes nothing")
        #expect(try folder.read("oracle") == wholeOracle(seed: 5, 1...50))
        try client.close()
    }

    @Test func `a bug that needs no crash shows without one`() throws {
        let engine = try TargetCatalog.besideThisProgram().target("engine")
        for (bug, isRight) in [("none", true), ("compaction-drops-newest", false)] {
            let target = try engine.configured([Setting(name: "planted", value: bug)])
            let folder = try TemporaryFolder()
            try run(target, folder, seed: 5, operations: 1...100)
            let outcome = try RecoverClient(target).recoverAlone(folder.folder("store"))
            #expect((outcome == .opened(expected(seed: 5, 1...100))) == isRight, "\(bug)")
        }
    }

    @Test(arguments: ["engine", "sqlite"]) func `a killed workload leaves a store that opens`(name: String) throws {
        let target = try TargetCatalog.besideThisProgram().target(name).configured()
        let folder = try TemporaryFolder()
        let workload = try start(target, folder, seed: 9, operations: 1...1_000_000)
        #expect(try folder.eventually { try oracleLines(folder).count > 40 ? true : nil } == true)
        #expect(try workload.kill() == .signalled(SIGKILL))
        let acknowledged = try oracleLines(folder).filter { if case .acknowledged = $0 { true } else { false } }.count
        let client = RecoverClient(target)
        let outcome = try client.recoverAlone(folder.folder("store"))
        let last = UInt64(acknowledged)
        try #require(last > 0)
        // The operation in flight may or may not have happened.
        #expect(
            [expected(seed: 9, 1...last), expected(seed: 9, 1...last + 1)].map(RecoverOutcome.opened).contains(outcome))
    }

    @Test(arguments: ["engine", "sqlite"]) func `a damaged store does not stop a recover process`(name: String) throws {
        let target = try TargetCatalog.besideThisProgram().target(name).configured()
        let folder = try TemporaryFolder()
        let store = folder.folder("store")
        try run(target, folder, seed: 2, operations: 1...100)
        let damaged = folder.folder("damaged")
        let script = "cp -r \(store)/. \(damaged); cd \(damaged); yes garbage | head -c 20000 > $(ls | head -n 1)"
        #expect(try ProcessRunner.run(shell(script), timeoutMilliseconds: 20_000).termination.isSuccess)
        var command = target.recover
        command.input = .pipe
        let process = try RecoverProcess(command)
        for directory in [store, damaged, store, folder.file("missing"), store, folder.file("oracle"), store] {
            #expect(process.request(directory))
            guard case .dump(let recovery) = try process.answer(until: Deadline(afterMilliseconds: 20_000)) else {
                Issue.record("\(directory): the process gave up\(process.errorOutput)")
                return
            }
            #expect((recovery == .opened(expected(seed: 2, 1...100))) == (directory == store), "\(directory)")
            if case .opened = recovery { #expect(directory == store) }
        }
        try process.kill()
    }

    @Test(arguments: [
        ([("FAULTLINE_OPS", "many")], "FAULTLINE_OPS is not a valid number: many"),
        ([("FAULTLINE_SEED", "")], "FAULTLINE_SEED is not set; faultline run sets it"),
        ([("FAULTLINE_DIR", "/nonexistent")], "stat /nonexistent: No such file or directory"),
        ([("FAULTLINE_ORACLE_MAY_SHARE", "0")], "is on the same filesystem as the storage under test"),
    ])
    func `a usage error of a workload exits with 2`(changes: [(String, String)], expected: String) throws {
        let target = try TargetCatalog.besideThisProgram().target("sqlite").configured()
        let folder = try TemporaryFolder()
        let environment = WorkloadEnvironment(
            directory: folder.folder("store"), oracle: folder.file("oracle"), seed: 1, operationCount: 1,
            oracleMayShareFilesystem: true)
        var command = target.workload
        command.environment.merge(environment.variables) { $1 }
        for (name, value) in changes { command.environment[ByteString(name)] = ByteString(value) }
        let (termination, process) = try ProcessRunner.run(command, timeoutMilliseconds: 20_000)
        #expect(termination == .exited(code: 2))
        #expect(String(decoding: process.standardError.bytes, as: UTF8.self).contains(expected))
    }

    private func start(
        _ target: ConfiguredTarget, _ folder: TemporaryFolder, seed: UInt64, operations: ClosedRange<UInt64>
    ) throws -> WorkloadRun {
        try WorkloadRun(
            target,
            WorkloadEnvironment(
                directory: folder.folder("store"), oracle: folder.file("oracle"), seed: seed,
                operationCount: UInt64(operations.count), firstSeq: operations.lowerBound,
                oracleMayShareFilesystem: true))
    }

    private func run(
        _ target: ConfiguredTarget, _ folder: TemporaryFolder, seed: UInt64, operations: ClosedRange<UInt64>
    ) throws {
        let workload = try start(target, folder, seed: seed, operations: operations)
        #expect(try workload.finish(watching: folder.file("oracle")) == .exited(code: 0), "\(workload.errorOutput)")
    }

    private func expected(seed: UInt64, _ operations: ClosedRange<UInt64>) -> Observation {
        var contents: [ByteString: [UInt8]] = [:]
        for seq in operations {
            let operation = WorkloadScript(seed: seed).operation(seq)
            contents[operation.key] = operation.action.payload
        }
        return Observation(contents)
    }

    private func wholeOracle(seed: UInt64, _ operations: ClosedRange<UInt64>) -> [UInt8] {
        operations.flatMap { seq in
            let operation = WorkloadScript(seed: seed).operation(seq)
            return OracleLine.begin(operation).encoded + OracleLine.acknowledged(operation).encoded
        }
    }

    private func oracleLines(_ folder: TemporaryFolder) throws -> [OracleLine] {
        let bytes = (try? folder.read("oracle")) ?? []
        return try bytes.split(separator: UInt8(ascii: "\n")).dropLast().enumerated().map { index, text in
            try OracleLine.parse(Array(text).span, line: index + 1)
        }
    }
}

private func allConfigurations() throws -> [ConfiguredTarget] {
    try TargetCatalog.besideThisProgram().builtIn.flatMap(\.configurations)
        .filter { !$0.configuration.contains { $0.name == "planted" && $0.value != "none" } }
}
