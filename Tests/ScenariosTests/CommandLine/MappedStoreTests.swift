import Foundation
import Testing

/// A store that keeps its one value in a shared mapping and acknowledges without msync: a kill loses nothing, a power cut
/// does.
@Suite(.enabled(if: TestMachine.hasFUSE && ManifestTargetTests.hasPython)) struct MappedStoreTests {
    private let temporary: TemporaryDirectory

    private static let program = """
        import json, mmap, os, sys
        def opened(directory):
            path = directory + "/page"
            if not os.path.exists(path):
                with open(directory + "/new", "wb") as new: new.write(bytes(64)); new.flush(); os.fsync(new.fileno())
                os.rename(directory + "/new", path)
                root = os.open(directory, os.O_RDONLY); os.fsync(root); os.close(root)
            with open(path, "r+b") as page: return mmap.mmap(page.fileno(), 64)
        if sys.argv[1] == "workload":
            page = opened(os.environ["FAULTLINE_DIR"])
            oracle = os.open(os.environ["FAULTLINE_ORACLE"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            first = int(os.environ["FAULTLINE_FIRST_SEQ"])
            for seq in range(first, first + int(os.environ["FAULTLINE_OPS"])):
                line = '{"op":"put","seq":%d,"key":"aw==","payload":"%04d"' % (seq, seq)
                os.write(oracle, (line + ',"phase":"begin"}\\n').encode())
                page[0:4] = b"%04d" % seq
                if "SYNC" in os.environ: page.flush()
                os.write(oracle, (line + '}\\n').encode())
        else:
            value = bytes(opened(os.environ["FAULTLINE_DIR"])[0:4])
            if value.strip(b"\\0"): print('{"key":"aw==","payload":"%s"}' % value.decode())
            print('{"end":true}')
        """

    init() throws {
        temporary = try TemporaryDirectory()
        let manifest = """
            name: page
            description: one value in a mapped page
            workload: [/usr/bin/env, python3, page.py, workload]
            recover: [/usr/bin/env, python3, page.py, recover]
            """
        let synced =
            manifest.replacing(
                "[/usr/bin/env, python3, page.py, workload]", with: "[/usr/bin/env, SYNC=1, python3, page.py, workload]"
            )
            + "\ntimeoutSeconds: 1"
        for (name, text) in [("page.py", Self.program), ("page.yaml", manifest), ("synced.yaml", synced)] {
            try text.write(toFile: temporary.path + "/" + name, atomically: true, encoding: .utf8)
        }
    }

    private struct Result: Decodable {
        struct Finding: Decodable {
            var check, strongestProfile: String
            var `case`: String
        }
        var verdict: String
        var reason: String?
        var findings: [Finding]
    }

    private func run(_ arguments: [String]) throws -> (status: Int32, Result) {
        let answer = try Faultline.run(
            arguments + ["--ops", "6", "--out", temporary.path + "/runs", "--json"], directory: temporary.path)
        let result = try? JSONDecoder().decode(Result.self, from: Data(answer.output.utf8))
        return (answer.status, try #require(result, "\(answer)"))
    }

    @Test func `no state that a kill leaves is derived, and it is said why`() throws {
        let (status, result) = try run(["explore", "page.yaml", "--profile", "kill"])
        #expect(status == 3 && result.verdict == "inconclusive" && result.findings.isEmpty)
        #expect(result.reason?.contains("shared mapping of page") == true, "\(result.reason ?? "")")
    }

    @Test func `every profile but kill is tried, and it is said why not`() throws {
        let answer = try Faultline.run(
            ["explore", "page.yaml", "--profile", "all", "--ops", "4", "--out", temporary.path + "/runs"],
            directory: temporary.path)
        #expect(answer.status == 1 && answer.output.contains("strongest that fails: strict"), "\(answer)")
        #expect(answer.output.contains("kill: the states after a kill cannot be derived"), "\(answer)")
    }

    @Test(arguments: [["explore"], ["run", "--scenario", "power-cut", "--cycles", "1"]])
    func `a power cut loses it, under strict at the strongest, and the case says so again`(command: [String]) throws {
        let (status, result) = try run([command[0], "page.yaml", "--profile", "xfs"] + command.dropFirst())
        #expect(status == 1 && !result.findings.isEmpty, "\(result)")
        #expect(result.findings.allSatisfy { $0.strongestProfile == "strict" }, "\(result)")
        let answer = try Faultline.run(
            ["minimise", result.findings[0].case, "--target", "page.yaml", "-o", temporary.path + "/smaller"],
            directory: temporary.path)
        #expect(answer.output.contains("strict") && !answer.output.contains("profile: kill"), "\(answer)")
        let smaller = try String(contentsOfFile: temporary.path + "/smaller/case.json", encoding: .utf8)
        #expect(smaller.contains(#""profile" : "strict""#), "\(smaller)")
    }

    @Test func `live kills check it, and lose nothing`() throws {
        let (status, result) = try run(["run", "page.yaml", "--scenario", "kill", "--cycles", "3"])
        #expect(result.findings.isEmpty && status != 1, "\(result)")
    }

    /// What storage holds while the mount lasts is not what the store's next process finds.
    @Test func `faults that the store is told of are no reason to find unwritten pages missing`() throws {
        let (_, result) = try run(
            ["run", "page.yaml", "--scenario", "io-error", "--rule", "create path=new nth=1 -> delay 1ms"])
        #expect(result.findings.isEmpty, "\(result)")
    }

    /// No signal reaches a process that waits for its pages to be written, nor does its server learn who waits.
    @Test func `a late writeback is let go when the workload is killed`() throws {
        let (status, result) = try run(
            ["run", "synced.yaml", "--scenario", "io-error", "--rule", "write path=page nth=2 -> delay 3000s"])
        #expect(status == 3 && result.verdict == "inconclusive", "\(result)")
        #expect(result.reason?.contains("the rules held the workload up for 3000 s") == true, "\(result)")
    }
}
