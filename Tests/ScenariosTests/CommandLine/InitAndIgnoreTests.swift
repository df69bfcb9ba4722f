import Foundation
import Testing

/// `init` and `ignore` of a manifest, by a store of a shell script that needs both.
@Suite(.enabled(if: TestMachine.hasFUSE)) struct InitAndIgnoreTests {
    private let temporary: TemporaryDirectory

    init() throws { temporary = try TemporaryDirectory() }

    /// A store that appends to `data`, which its init command makes, without a sync of its name. It keeps a file `LOG`, too.
    private func store(_ more: String = "", initCommand: String = "init: [./store.sh, init, \"{dir}\"]") throws
        -> String
    {
        let script = #"""
            #!/bin/sh
            case $1 in
            init) echo begin > "$2/data" ;;
            workload)
                test -f "$FAULTLINE_DIR/data" || { echo "no data" >&2; exit 1; }
                seq=$FAULTLINE_FIRST_SEQ
                while [ $seq -lt $((FAULTLINE_FIRST_SEQ + FAULTLINE_OPS)) ]; do
                    printf '{"op":"put","seq":%s,"key":"aw==","payload":"dg==","phase":"begin"}\n' $seq >> "$FAULTLINE_ORACLE"
                    echo put > "$FAULTLINE_DIR/LOG"
                    echo "$seq" | dd of="$FAULTLINE_DIR/data" oflag=append conv=notrunc,fsync 2> /dev/null
                    printf '{"op":"put","seq":%s,"key":"aw==","payload":"dg=="}\n' $seq >> "$FAULTLINE_ORACLE"
                    seq=$((seq + 1))
                done ;;
            recover)
                test -f "$FAULTLINE_DIR/data" || { echo "no data" >&2; exit 1; }
                test "$(wc -l < "$FAULTLINE_DIR/data")" -lt 2 || echo '{"key":"aw==","payload":"dg=="}'
                echo '{"end":true}' ;;
            esac
            """#
        let manifest = """
            name: shell
            workload: [./store.sh, workload]
            recover: [./store.sh, recover]
            \(initCommand)
            timeoutSeconds: 10
            \(more)
            """
        let path = temporary.path + "/store.sh"
        try script.write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        try manifest.write(toFile: temporary.path + "/shell.yaml", atomically: true, encoding: .utf8)
        return temporary.path + "/shell.yaml"
    }

    private func faultline(_ words: String...) throws -> Faultline.Answer {
        try Faultline.run(words, directory: temporary.path)
    }

    @Test(arguments: [
        ["run", "--scenario", "smoke"], ["run", "--scenario", "kill", "--cycles", "1"],
        ["run", "--scenario", "power-cut", "--cycles", "0"], ["explore"],
    ])
    func `what the init command wrote is there in every state`(words: [String]) throws {
        let words = [words[0], try store()] + words.dropFirst() + ["--ops", "2"]
        let run = try Faultline.run(words, directory: temporary.path)
        #expect(run.status == 0, "\(run)")
    }

    @Test func `without the init command the same store is a harness error`() throws {
        let run = try faultline("explore", store(initCommand: ""), "--ops", "2")
        #expect(run.status == 2 && run.output.contains("no data"), "\(run)")
    }

    @Test(arguments: [["explore"], ["run", "--scenario", "power-cut", "--cycles", "0"]])
    func `with --with-init a crash may lose what the init command wrote`(words: [String]) throws {
        let words = [words[0], try store()] + words.dropFirst() + ["--ops", "1", "--with-init"]
        let run = try Faultline.run(words, directory: temporary.path)
        #expect(run.status == 1 && run.output.contains("no data"), "\(run)")
    }

    @Test func `--with-init needs an init command`() throws {
        let run = try faultline("explore", store(initCommand: ""), "--with-init")
        #expect(run.status == 2 && run.error.contains("--with-init needs a target with an init command"), "\(run)")
    }

    @Test func `an init command that fails is a harness error with what it said`() throws {
        let manifest = try store(initCommand: "init: [sh, -c, \"echo no room >&2; exit 3\"]")
        let run = try faultline("run", manifest, "--scenario", "smoke")
        #expect(run.status == 2 && run.output.contains("the init command exited with 3: no room"), "\(run)")
    }

    @Test func `the states of ignored files are not varied, and the result says so`() throws {
        func states(_ more: String) throws -> (count: Int, ignored: [[String: Any]]?) {
            let run = try faultline("explore", store(more), "--ops", "2", "--json")
            #expect(run.status == 0, "\(run)")
            let result = try #require(JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
            #expect(try JSONSchema("explore.json").problems(of: Data(run.output.utf8)) == [])
            let states = try #require(result["states"] as? [String: Any])
            return (try #require(states["checked"] as? Int), result["ignored"] as? [[String: Any]])
        }
        let (all, varied) = (try states(""), try states("ignore: [LO*, none]"))
        #expect(all.ignored == nil && varied.count < all.count, "\(all.count) and \(varied.count) states")
        #expect(varied.ignored?.map { $0["pattern"] as? String } == ["LO*", "none"])
        #expect(varied.ignored?.map { $0["files"] as? Int } == [1, 0])
        let run = try faultline("explore", store("ignore: LOG"), "--ops", "1")
        #expect(run.output.contains("not varied, because the manifest ignores it: LOG (1 file)"), "\(run)")
    }
}
