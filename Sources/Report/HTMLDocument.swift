import Bytes
import Crypto
import Foundation
import Machine
import Mustache
import Synchronization

/// Renders a page with the templates, the style sheet and the scripts that the build embeds.
///
/// Everything that is not the program's own text is escaped: in the markup by `HTMLText`, in the data for the scripts by
/// `HTMLDocument.island`. The policy in the page's head allows only this style sheet and this script, and no request.
enum HTMLDocument {
    /// What the outermost template names.
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

    /// The bytes that a part takes of a page.
    static func size(of part: some Any, _ template: String, data: HTMLTimeline? = nil) throws -> Int {
        let text = try templates.get().render(part, withTemplate: template) ?? ""
        return try text.utf8.count + (data.map { island(try JSONText.of($0, .line)).utf8.count } ?? 0)
    }

    /// The bytes of the style, the scripts and the frame of a page.
    static var frameBytes: Int { style.utf8.count + script.utf8.count + 4096 }

    // MARK: - Resources

    private static let style = text(PackageResources.page_css)
    private static let script = [
        PackageResources.timeline_js, PackageResources.states_js, PackageResources.cells_js,
    ].map(text).joined(separator: "\n")

    /// Only what the page itself holds, byte for byte, may style it or run.
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
            // Every template begins anew with Mustache's own escaping.
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

    /// JSON that can stand in a script element: nothing in it ends the element or begins a comment. (Line separators are
    /// escaped by `JSONText`.)
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
