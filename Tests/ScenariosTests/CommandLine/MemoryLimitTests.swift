import Foundation
import Glibc
import Testing

/// The memory that a run takes, and what becomes of a run that may take little.
@Suite(.enabled(if: Faultline.path != nil, "the program was not built beside the tests"))
struct MemoryLimitTests {
    private let temporary: TemporaryDirectory

    init() throws { temporary = try TemporaryDirectory() }

    /// Every state of this store shows up to two megabytes, and there are dozens an operation: 200 MB, if all were kept.
    private static let exploration = [
        "explore", "engine", "--profile", "strict", "--value-len", "65536", "--ops", "30", "--json",
    ]

    @Test func `a run that may take little puts aside what it shows, and comes to the same result`() throws {
        let limit = 80 << 20
        let little = try Faultline.measured(
            Self.exploration + ["--memory", "80M"], directory: temporary.path)
        #expect(little.answer.status == 0, "\(little.answer.output) \(little.answer.error)")
        #expect(little.peakBytes <= limit, "\(little.peakBytes >> 20) MB")
        let plenty = try Faultline.run(
            Self.exploration + ["--memory", "2G"], directory: temporary.path)
        #expect(try counts(of: little.answer.output) == counts(of: plenty.output))
    }

    private func counts(of output: String) throws -> [String: Int] {
        let object = try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any]
        let states = try #require(object?["states"] as? [String: Any])
        let names = ["decided", "checked"]
        return try Dictionary(uniqueKeysWithValues: names.map { ($0, try #require(states[$0] as? Int)) })
    }

    /// What cannot be put aside: one state that shows more than there may be.
    @Test(.enabled(if: TestMachine.hasFUSE && ManifestTargetTests.hasPython))
    func `a run that cannot do with so little says so, and what to do`() throws {
        let script = """
            import base64, json, os, sys
            d, n = os.environ.get("FAULTLINE_DIR"), 96
            if sys.argv[1] == "workload":
                f = os.open(os.environ["FAULTLINE_ORACLE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                for seq in range(1, 1 + int(os.environ["FAULTLINE_OPS"])):
                    key = base64.b64encode(b"k%d" % seq).decode()
                    line = {"op": "put", "seq": seq, "key": key, "payload": base64.b64encode(b"x").decode()}
                    os.write(f, json.dumps(dict(line, phase="begin")).encode() + b"\\n")
                    g = os.open(d + "/f%d" % seq, os.O_WRONLY | os.O_CREAT, 0o600); os.write(g, b"x"); os.fsync(g)
                    os.write(f, json.dumps(line).encode() + b"\\n")
            else:
                for i in range(n):
                    print('{"key":"%s","payload":"%s"}' % (base64.b64encode(b"big%d" % i).decode(), "eHh4" * 350000))
                print('{"end":true}')
            """
        let manifest = """
            name: large
            description: shows a hundred megabytes
            workload: [/usr/bin/env, python3, large.py, workload]
            recover: [/usr/bin/env, python3, large.py, recover]
            """
        try Data(script.utf8).write(to: URL(filePath: temporary.path + "/large.py"))
        try Data(manifest.utf8).write(to: URL(filePath: temporary.path + "/large.yaml"))
        for command in [["run", "large.yaml", "--scenario", "power-cut"], ["explore", "large.yaml"]] {
            let answer = try Faultline.run(command + ["--ops", "4", "--memory", "64M"], directory: temporary.path)
            #expect(answer.status == 3, "\(answer.output) \(answer.error)")
            let text = answer.output + answer.error
            #expect(text.contains("may take 64M") && text.contains("--memory"), "\(text)")
        }
    }

    @Test(arguments: ["63M", "0", "x", "-1G", "1Q", "99999999999999999999G"])
    func `an amount that makes no sense is refused before anything is done`(amount: String) throws {
        let answer = try Faultline.run(["explore", "engine", "--memory=\(amount)"], directory: temporary.path)
        #expect(answer.status == 2 && answer.error.contains("--memory"), "\(answer.error)")
    }
}
