import Bytes
import Crypto
import Foundation
import Machine
import Mustache
import Synchronization

/// Renders a page with the templates, the style sheet and the scripts that the build embeds.
///
/// Escapes all text from outside the program: in markup by `HTMLText`, in the scripts' data by `HTMLDocument.island`. The policy in the page's head allows only this style sheet and this script, and no request.
enum HTMLDocument {
    /// The fields of the outermost template.
    private struct Frame {
        var page: HTMLPage
        var policy: String
        var style: String
        var script: String
        var data: String
    }

    static func bytes(of page: HTMLPage) throws -> [UInt8] {
        let timelines = page.findings.compactMap(\.timeline)
        let frame = Frame(
            page: page, policy: policy, style: style, script: script,
            data: island(try JSONText.of(timelines, .line)))
        guard let text = try templates.get().render(frame, withTemplate: "page") else { return [] }
        return Array(text.utf8)
    }

    /// The size of one part of a page, in bytes.
    static func size(of part: some Any, _ template: String, data: HTMLTimeline? = nil) throws -> Int {
        let text = try templates.get().render(part, withTemplate: template) ?? ""
        return try text.utf8.count + (data.map { island(try JSONText.of($0, .line)).utf8.count } ?? 0)
    }

    /// The size of the style, scripts and frame of a page, in bytes.
    static var frameBytes: Int { style.utf8.count + script.utf8.count + 4096 }

    // MARK: - Resources

    private static let style = text(PackageResources.page_css)
    private static let script = [
        PackageResources.timeline_js, PackageResources.states_js, PackageResources.cells_js,
    ].map(text).joined(separator: "\n")

    /// Allows only the style and scripts in the page itself, by their hashes.
    private static let policy =
        "default-src 'none'; style-src '\(hash(style))'; script-src '\(hash(script))'; img-src data:; base-uri 'none'; "
        + "form-action 'none'"

    private static func hash(_ text: String) -> String {
        "sha256-" + Data(SHA256.hash(data: Data(text.utf8))).base64EncodedString()
    }

    private static let templates = Result {
        MustacheContentTypes.register(HTMLText(), named: HTMLText.name)
        var library = MustacheLibrary()
        for (name, bytes) in sources {
            // Each template resets the escaping to Mustache's own.
            try library.register("{{% CONTENT_TYPE: \(HTMLText.name)}}" + text(bytes), named: name)
        }
        return library
    }

    static var sources: [(name: String, template: [UInt8])] {
        [
            ("page", PackageResources.page_mustache), ("run", PackageResources.run_mustache),
            ("matrix", PackageResources.matrix_mustache), ("finding", PackageResources.finding_mustache),
            ("entries", PackageResources.entries_mustache),
        ]
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// JSON for a script element: it cannot end the element or begin a comment. (`JSONText` escapes line separators.)
    static func island(_ json: String) -> String {
        var text = ""
        for scalar in json.unicodeScalars {
            switch scalar {
            case "<": text += "\\u003c"
            case ">": text += "\\u003e"
            case "&": text += "\\u0026"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
