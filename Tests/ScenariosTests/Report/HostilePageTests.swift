import Foundation
import Testing

/// A store whose file names, keys, values, errors and parameters hold markup, through run, explore and matrix into HTML files
/// that a browser opens: nothing of it runs, and all of it is shown as text.
@Suite(
    .enabled(if: Browser.path != nil, "SKIPPED: there is no Chromium; scripts/setup-browser installs it"),
    .enabled(if: Faultline.path != nil, "the program was not built beside the tests"),
    .enabled(if: TestMachine.hasFUSE), .enabled(if: ManifestTargetTests.hasPython), .serialized)
struct HostilePageTests {
    private let temporary: TemporaryDirectory

    init() throws {
        temporary = try TemporaryDirectory()
        let store = temporary.path + "/store.py"
        try Self.store.write(toFile: store, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: store)
        try Self.manifest.write(toFile: temporary.path + "/hostile.yaml", atomically: false, encoding: .utf8)
    }

    /// It writes each entry as a line of its log and syncs nothing. A torn line is an error, which quotes it.
    private static let store = #"""
        #!/usr/bin/env python3
        import base64, json, os, sys
        HOSTILE = (b"</script><script>window.pwned=1</script>]]>'\"><img src=x onerror=window.pwned=2>"
                   b"\xff\xfe\xe2\x80\xa8\x1b[31m\n<!--")
        def text(data): return base64.b64encode(data).decode("ascii")
        def log(directory): return os.fsencode(directory) + b"/" + HOSTILE.replace(b"/", b"|")
        def workload():
            sys.stderr.buffer.write(HOSTILE)
            file = os.open(log(os.environ["FAULTLINE_DIR"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            oracle = os.open(os.environ["FAULTLINE_ORACLE"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            first = int(os.environ["FAULTLINE_FIRST_SEQ"])
            for seq in range(first, first + int(os.environ["FAULTLINE_OPS"])):
                line = {"key": text(HOSTILE + b"%d" % (seq % 3)), "payload": text(HOSTILE * 9 + b"%d" % seq)}
                operation = {"op": "put", "seq": seq, **line}
                os.write(oracle, json.dumps({**operation, "phase": "begin"}).encode() + b"\n")
                os.write(file, json.dumps(line).encode() + b"\n")
                os.write(oracle, json.dumps(operation).encode() + b"\n")
        def recover(directory):
            entries = {}
            try:
                for line in open(log(directory), "rb"):
                    if line[-1:] != b"\n": return json.dumps({"error": "torn " + HOSTILE.decode("latin-1")})
                    entries[json.loads(line)["key"]] = line.decode()
            except FileNotFoundError: pass
            except ValueError: return json.dumps({"error": "bad " + HOSTILE.decode("latin-1")})
            return "".join(entries.values()) + '{"end":true}'
        if sys.argv[1] == "workload": workload()
        else:
            for line in sys.stdin: print(recover(line[:-1]), flush=True)
        """#

    private static let manifest = #"""
        name: hostile
        description: "<img src=x onerror=window.pwned=3>"
        workload: [./store.py, workload]
        recover: [./store.py, recover]
        persistent: true
        contract: durable
        parameters:
          mode: ["\"><img src=x onerror=window.pwned=4>", "</script><script>window.pwned=5</script>"]
        """#

    /// What each page is made by.
    static let commands: [[String]] = [
        ["run", "hostile.yaml", "--scenario", "power-cut", "--cycles", "1", "--ops", "4"],
        ["explore", "hostile.yaml", "--ops", "2"],
        ["matrix", "m.yaml"],
    ]

    @Test(arguments: commands) func `hostile names, keys, values and errors of a store are inert in its page`(
        command: [String]
    ) throws {
        let cells = """
            cells:
              - {target: ./hostile.yaml, scenario: [smoke, explore], ops: 2}
              - {target: ./hostile.yaml, scenario: explore, ops: 2, seed: 2, expect: violation, reason: "<script>window.pwned=6</script>"}
            """
        try cells.write(toFile: temporary.path + "/m.yaml", atomically: false, encoding: .utf8)
        let answer = try Faultline.run(
            command + ["--out", "runs", "--report", "html=page.html"], directory: temporary.path)
        #expect(answer.status == 1, "\(answer)")
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: temporary.path + "/page.html")))
        #expect(!bytes.contains(0x1B) && !bytes.contains(0), "a control character is in the page as it is")
        #expect(String(validating: bytes, as: UTF8.self)?.unicodeScalars.contains("\u{2028}") == false)
        let seen = try Browser(directory: temporary.path).look(
            at: "page.html",
            """
            await new Promise((done) => setTimeout(done, 200));
            const told = [];
            for (const button of document.querySelectorAll("button")) button.click();
            for (const plot of document.querySelectorAll(".plot")) {
              for (const key of ["Home", "ArrowRight", "ArrowRight", "ArrowRight", "End"]) {
                plot.dispatchEvent(new window.KeyboardEvent("keydown", { key, bubbles: true }));
                told.push(plot.getAttribute("aria-valuetext"));
              }
            }
            await new Promise((done) => setTimeout(done, 200));
            return {
              isHarmed: window.pwned !== undefined, scripts: document.scripts.length, images: document.images.length,
              handlers: document.querySelectorAll("[onerror], [onclick], [onfocus]").length, told: told.join(),
              lanes: [...document.querySelectorAll(".plot .name")].map((one) => one.textContent).join(),
              text: document.body.innerText,
            };
            """)
        #expect(seen.console == [])
        #expect(seen.value["isHarmed"] as? Bool == false)
        #expect(
            seen.value["scripts"] as? Int == 2 && seen.value["images"] as? Int == 0
                && seen.value["handlers"] as? Int == 0, "\(seen.value)")
        // The target in a matrix is named without its default parameters; there the reason of a cell is hostile.
        let inText = command[0] == "matrix" ? "<script>window.pwned=6</script>" : "<img src=x onerror=window.pwned=4>"
        for (name, shown) in [("text", inText), ("told", "onerror=window.pwned=2>")] {
            let text = seen.value[name] as? String ?? ""
            #expect(text.contains(shown), "\(name) does not show \(shown): \(text.prefix(2000))")
        }
    }
}
