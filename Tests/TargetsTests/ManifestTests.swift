import Bytes
import Glibc
import Oracle
import Testing

@testable import Targets

@Suite struct ManifestTests {
    private static let minimal = """
        name: s
        description: d
        workload: [./s, workload]
        recover: [./s, recover]
        """

    private func target(_ text: String) throws(YAMLError) -> Target {
        try Manifest.target(Array(text.utf8), file: "m.yaml")
    }

    /// `noticesDamage` is the old name of the key.
    @Test func `a manifest says whether the store detects corruption, by either key and not by both`() throws {
        #expect(try !target(Self.minimal).detectsCorruption)
        for key in ["detectsCorruption", "noticesDamage"] {
            #expect(try target(Self.minimal + "\n\(key): true").detectsCorruption)
            #expect(try !target(Self.minimal + "\n\(key): false").detectsCorruption)
        }
        #expect(throws: YAMLError.self) {
            try target(Self.minimal + "\ndetectsCorruption: false\nnoticesDamage: true")
        }
    }

    @Test func `a manifest describes a target`() throws {
        let target = try target(
            """
            name: my-store_2          # a comment
            description: "one: line"
            workload: [./s, workload, "--mode={mode}", no, 1.10, "{not a parameter}"]
            recover: [./s, recover]
            persistent: true
            contract: transactional
            contracts: [{when: {mode: fast}, contract: prefix}]
            source: https://example.org
            environment: {MODE: "{mode}"}
            parameters: {mode: [safe, fast], level: 3}
            timeoutSeconds: 5
            """)
        #expect(target.name == "my-store_2" && target.description == "one: line")
        #expect(target.contract == .transactional && target.isPersistent && target.timeoutSeconds == 5)
        #expect(target.parameters == [Parameter("mode", ["safe", "fast"]), Parameter("level", ["3"])])
        let configured = try target.configured([Setting(name: "mode", value: "fast")])
        #expect(configured.contract == .prefix)
        #expect(
            configured.workload.arguments == ["./s", "workload", "--mode=fast", "no", "1.10", "{not a parameter}"])
        #expect(configured.workload.environment["MODE"] == "fast")
    }

    @Test func `a manifest describes a server`() throws {
        let target = try target(
            Self.minimal + """

                init: [./s, init, "{dir}"]
                check: [./s, check, "{dir}", "{port}"]
                ignore: [LOG*, tmp/**]
                server:
                  start: [./server, "{dir}", "{port}", "{mode}"]
                  ready: [./ping, "{port}"]
                  stop: [./stop, "{socket}"]
                  log: "{tmp}/log"
                  environment: {A: "{mode}"}
                  timeoutSeconds: 7
                parameters: {mode: [safe]}
                """)
        #expect(
            target.initialise == ["./s", "init", "{dir}"] && target.ignored.map(\.description) == ["LOG*", "tmp/**"])
        #expect(target.check == ["./s", "check", "{dir}", "{port}"])
        let server = try #require(target.server)
        guard case .command(["./ping", "{port}"]) = server.ready else {
            Issue.record("\(server.ready)")
            return
        }
        #expect(server.stop == ["./stop", "{socket}"] && server.log == "{tmp}/log" && server.timeoutSeconds == 7)
        let endpoint = try ServerEndpoint(in: "/tmp")
        let command = try target.configured().serverCommand(server.start, server, at: StorePlace("/d", endpoint))
        #expect(command.arguments == ["./server", "/d", ByteString("\(endpoint.port)"), "safe"])
        #expect(command.environment["A"] == "safe" && command.environment["FAULTLINE_DIR"] == "/d")
    }

    static let refused: [(change: String, error: String)] = [
        ("persistant: true", "m.yaml:5: a manifest has no key persistant; did you mean persistent? (keys: name, "),
        ("colour: red", "m.yaml:5: a manifest has no key colour (keys: name, "),
        ("persistent: yes", "m.yaml:5: persistent must be true or false, not yes"),
        ("timeoutSeconds: 0", "m.yaml:5: timeoutSeconds must be a whole number from 1 to 86400, not 0"),
        ("timeoutSeconds: 1e3", "m.yaml:5: timeoutSeconds must be a whole number from 1 to 86400, not 1e3"),
        ("timeoutSeconds: 99999999999999999999", "m.yaml:5: timeoutSeconds must be a whole number"),
        ("contract: perfect", "m.yaml:5: there is no contract perfect; contracts: prefix, ordered-prefix, "),
        ("contract: [durable]", "m.yaml:5: contract must be a text, not a list"),
        ("contract:", "m.yaml:5: contract must be a text, not nothing"),
        ("name: t", "m.yaml:1: the mapping that starts here has duplicate keys: name"),
        ("parameters: [a]", "m.yaml:5: parameters must be a mapping (key: value), not a list"),
        ("parameters: {a: []}", "m.yaml:5: a needs at least one value"),
        ("parameters: {a: [1, 1]}", "m.yaml:5: a has the value 1 twice"),
        ("parameters: {1a: [1]}", "m.yaml:5: a parameter's name has letters, digits and _"),
        (
            "environment: {A: \"{b}\"}",
            "m.yaml:5: {b} in environment: A is not a parameter of this manifest; it has none"
        ),
        ("environment: {FAULTLINE_DIR: x}", "m.yaml:5: FAULTLINE_DIR is set by faultline"),
        ("environment: {\"A=B\": x}", "m.yaml:5: 'A=B' is not a valid variable name"),
        ("contracts: [{when: {a: 1}, contract: prefix}]", "m.yaml:5: there is no parameter a"),
        ("known: [{when: {a: 1}, check: opens, reason: r}]", "m.yaml:5: there is no parameter a"),
        ("contracts: [{contract: prefix}]", "m.yaml:5: an entry of contracts needs when: {parameter: value}"),
        ("source: \"a\\nb\"", "m.yaml:5: source must be one line"),
        ("source: \"a\\0b\"", "m.yaml:5: source contains a zero byte"),
        ("user: a b", "m.yaml:5: user must be the name of a user of the machine, not 'a b'"),
        ("init: [./s, \"{port}\"]", "m.yaml:5: {port} in init is not a parameter of this manifest; known here: dir"),
        ("check: [./s, \"{port}\"]", "m.yaml:5: {port} in check is not a parameter of this manifest; known here: dir"),
        ("check: []", "m.yaml:5: check must name a program first"),
        ("ignore: [\"a[\"]", "m.yaml:5: 'a[' is not a pattern of a path"),
        ("server: [./s]", "m.yaml:5: server must be a mapping (key: value), not a list"),
        ("server: {start: [./s]}", "m.yaml:5: server needs a key ready"),
        ("server: {ready: port}", "m.yaml:5: server needs a key start"),
        ("server: {start: [./s], ready: port}", "m.yaml:5: ready: port needs a start command that listens there"),
        ("server: {start: [./s], ready: now}", "m.yaml:5: ready must be port, socket or a command as a list, not now"),
        ("server: {start: [./s], redy: port}", "m.yaml:5: server has no key redy; did you mean ready?"),
        (
            "server: {start: [./s, \"{port}\"], ready: port}\nparameters: {port: [1]}",
            "m.yaml:6: {port} is set by faultline: take another name"
        ),
        (
            "environment: {A: \"{port}\"}",
            "m.yaml:5: {port} in environment: A is not a parameter of this manifest; it has none"
        ),
        ("source: &a x", "m.yaml:5: anchors and aliases are not allowed"),
        (
            "source: [x, *a]",
            "m.yaml:5: anchors and aliases are not allowed; a text that starts with * needs quotes"
        ),
        ("source: [", "m.yaml:6: did not find expected node content"),
        ("source: \"open", "m.yaml:6: found unexpected end of stream"),
        ("\t- x", "m.yaml:5: found character that cannot start any token"),
        ("--- \nname: u", "m.yaml:5: but found another document"),
        ("source: " + String(repeating: "[", count: 100_000), "m.yaml:5: nested too deep"),
        ("source:\n" + String(repeating: "- ", count: 50_000), "m.yaml:6: nested too deep"),
        ("source: " + String(repeating: "x", count: 300_000), "m.yaml: larger than 262144 bytes"),
    ]

    @Test(arguments: refused) func `an invalid manifest is an error with its line`(
        _ row: (change: String, error: String)
    ) {
        let error = #expect(throws: YAMLError.self) { try target(ManifestTests.minimal + "\n" + row.change + "\n") }
        #expect(error?.description.contains(row.error) == true, "\(error?.description ?? "no error")")
    }

    @Test(arguments: ["name", "workload", "recover"]) func `required keys must be present`(_ key: String) {
        let text = ManifestTests.minimal.split(separator: "\n").filter { !$0.hasPrefix(key) }.joined(separator: "\n")
        let error = #expect(throws: YAMLError.self) { try target(text) }
        #expect(error?.description == "m.yaml: the manifest needs a key \(key)")
    }

    @Test(arguments: [
        ("name: s", "name: A/B", "a name has 1 to 40 characters of a-z, 0-9, - and _"),
        ("name: s", "name: -s", "does not start with -"),
        ("[./s, workload]", "[]", "workload must name a program first"),
        ("[./s, workload]", "./s workload", "workload must be a list, not a text"),
        ("[./s, workload]", "[./s, [x]]", "an argument of workload must be a text, not a list"),
        ("[./s, recover]", "[./s, \"{x}\"]", "{x} in recover is not a parameter of this manifest; it has none"),
    ])
    func `an invalid command is an error`(_ old: String, _ new: String, _ expected: String) {
        let error = #expect(throws: YAMLError.self) { try target(ManifestTests.minimal.replacing(old, with: new)) }
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "no error")")
    }

    @Test(arguments: ["", "\n# nothing\n", "just text", "[a]"]) func `a manifest must be a mapping`(_ text: String) {
        #expect(throws: YAMLError.self) { try target(text) }
    }

    @Test func `invalid UTF-8 is an error`() {
        let bytes = Array("name: ".utf8) + [0xFF, 0xFE]
        #expect(throws: YAMLError(file: "m", line: nil, "not UTF-8 text")) { try Manifest.target(bytes, file: "m") }
    }

    @Test(.timeLimit(.minutes(5))) func `only regular files are read`() throws {
        let folder = try TemporaryFolder()
        let fifo = folder.file("fifo")
        #expect(mkfifo("\(fifo)", 0o600) == 0)
        for path in [fifo, folder.path] {
            #expect(throws: TargetError.manifest(YAMLError(file: path, line: nil, "not a regular file"))) {
                try Manifest.target(at: path)
            }
        }
        #expect(throws: TargetError.self) { try Manifest.target(at: folder.file("missing")) }
    }

    @Test func `built-in targets have ordinary manifests`() {
        let catalog = TargetCatalog(driver: "/opt/driver")
        #expect(catalog.builtIn.map(\.name) == ["engine", "events", "sqlite"])
        #expect(catalog.builtIn.allSatisfy { $0.workload[0] == "/opt/driver" && $0.recover[0] == "/opt/driver" })
    }

    @Test(arguments: [("persistant", "persistent"), ("descripton", "description"), ("workloads", "workload")])
    func `a misspelt word gets a suggestion`(_ word: String, _ meant: String) {
        #expect(Spelling.nearest(to: word, in: ["persistent", "description", "workload", "name"]) == meant)
        #expect(Spelling.nearest(to: "xyzzy", in: ["persistent", "name"]) == nil)
    }
}
