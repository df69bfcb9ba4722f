import Foundation
import Testing

/// Headless Chromium, in which tests look at pages as people see them. scripts/setup-browser installs it.
///
/// A page is shown in a frame of another one, whose script clicks, measures and answers. Both are files; the page keeps its
/// own policy.
struct Browser {
    struct Answer {
        /// What the script returned, as JSON.
        var value: [String: Any]
        /// What the page wrote to the console: errors, and what its policy refused.
        var console: [String]
    }

    static let path: String? = {
        let names = ["chromium", "chromium-headless-shell", "google-chrome"]
        return names.map { "/usr/bin/" + $0 }.first { access($0, X_OK) == 0 }
    }()

    /// axe-core, which scripts/setup-browser fetches; nil where it is not there.
    static let axe: String? = {
        let path =
            ProcessInfo.processInfo.environment["FAULTLINE_AXE"]
            ?? SourcePlace.root.appending(path: ".build/axe/axe.min.js").path()
        return access(path, R_OK) == 0 ? path : nil
    }()

    let directory: String

    /// Shows the file `page` of the directory in a frame of this width and runs the body of an asynchronous function there,
    /// which has `document` and `window` of the page, and returns an object.
    func look(at page: String, width: Int = 1200, isDark: Bool = false, _ script: String) throws -> Answer {
        let wrapper = """
            <!DOCTYPE html><meta charset="utf-8">
            <iframe id="frame" src="\(page)" width="\(width)" height="900"></iframe><pre id="answer"></pre>
            <script>
            document.getElementById("frame").onload = async (event) => {
              const shown = event.target.contentWindow;
              const body = async (document, window) => { \(script) };
              let answer;
              try { answer = await body(shown.document, shown); } catch (error) { answer = { failed: String(error.stack) }; }
              const text = String.fromCharCode(...new TextEncoder().encode(JSON.stringify(answer)));
              document.getElementById("answer").textContent = btoa(text);
            };
            </script>
            """
        let place = URL(filePath: directory).appending(path: "wrapper-\(UUID().uuidString).html")
        try wrapper.write(to: place, atomically: false, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(filePath: try #require(Self.path))
        process.arguments =
            [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--user-data-dir=\(directory)/profile", "--allow-file-access-from-files", "--disable-web-security",
                "--window-size=1400,1000", "--virtual-time-budget=20000", "--enable-logging=stderr", "--dump-dom",
            ] + (isDark ? ["--force-dark-mode"] : []) + [place.absoluteString]
        let (output, error) = (directory + "/browser.out", directory + "/browser.err")
        for name in [output, error] { _ = FileManager.default.createFile(atPath: name, contents: nil) }
        process.standardOutput = FileHandle(forWritingAtPath: output)
        process.standardError = FileHandle(forWritingAtPath: error)
        try process.run()
        process.waitUntilExit()
        let dom = try String(contentsOfFile: output, encoding: .utf8)
        let log = String(decoding: try Data(contentsOf: URL(filePath: error)), as: UTF8.self)
        let text = dom.firstMatch(of: #/<pre id="answer">([^<]*)</pre>/#).map { String($0.output.1) } ?? ""
        let data = try #require(
            Data(base64Encoded: text), "the browser answered \(dom.suffix(300)) \(log.suffix(2000))")
        let value = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        if let failed = value["failed"] { Issue.record("\(page): \(failed)") }
        return Answer(
            value: value, console: log.split(separator: "\n").map(String.init).filter { $0.contains("CONSOLE") })
    }
}

/// Where the sources lie.
enum SourcePlace {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
}
