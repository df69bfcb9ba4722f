import Glibc

/// The capabilities of an output: a terminal shows colours and changing lines; anything else gets plain text.
package struct Terminal: Sendable {
    package var isTerminal: Bool
    package var usesColour: Bool
    /// The columns of a line; nil if this is not a terminal.
    package var columns: Int?

    package init(isTerminal: Bool, usesColour: Bool, columns: Int?) {
        self.isTerminal = isTerminal
        self.usesColour = usesColour
        self.columns = columns
    }

    /// Plain text, as for a file.
    package static let plain = Terminal(isTerminal: false, usesColour: false, columns: nil)

    /// Standard output of this process.
    package static var output: Terminal { Terminal(descriptor: STDOUT_FILENO) }
    /// Standard error of this process.
    package static var error: Terminal { Terminal(descriptor: STDERR_FILENO) }

    private init(descriptor: Int32) {
        isTerminal = isatty(descriptor) == 1
        usesColour = Terminal.usesColour(
            isTerminal: isTerminal, noColour: Self.variable("NO_COLOR"), type: Self.variable("TERM"))
        var size = winsize()
        let isKnown = isTerminal && ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        columns = isTerminal ? (isKnown ? Int(size.ws_col) : 80) : nil
    }

    /// NO_COLOR counts if it is set and not empty (no-color.org). A dumb terminal has no colours.
    package static func usesColour(isTerminal: Bool, noColour: String?, type: String?) -> Bool {
        isTerminal && (noColour ?? "").isEmpty && type != "dumb"
    }

    private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
