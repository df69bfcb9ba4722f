import Testing

@testable import Bytes

struct PrintableTests {
    @Test(
        arguments: [
            ("", ""), ("plain text, 1 + 1 = 2", "plain text, 1 + 1 = 2"),
            ("Grüße, 日本, e\u{301}", "Grüße, 日本, e\u{301}"),
            ("a\\b", "a\\b"), ("a\u{1B}[31mb", "a\\x1b[31mb"), ("\u{0}\u{7}\u{7F}", "\\x00\\x07\\x7f"),
            ("one\ntwo\r\n\tthree", "one\\ntwo\\r\\n\\tthree"), ("\u{9B}31m\u{85}", "\\u{9b}31m\\u{85}"),
            ("\u{202E}abc\u{2066}d\u{200F}", "\\u{202e}abc\\u{2066}d\\u{200f}"),
            ("\u{2028}\u{2029}\u{FEFF}", "\\u{2028}\\u{2029}\\u{feff}"), ("\u{378}\u{E0001}", "\\u{378}\\u{e0001}"),
        ] as [(String, String)])
    func `controls and invisible characters are escaped, once`(text: String, shown: String) {
        #expect(text.printable == shown)
        #expect(shown.printable == shown)
    }

    @Test func `line ends and tabs stay in multi-line text`() {
        #expect("a\n\tb\r\u{1B}".printableLines == "a\n\tb\\r\\x1b")
    }

    @Test func `only complete style sequences stay`() {
        let text = "\u{1B}[1mbold\u{1B}[0m \u{1B}[2J \u{1B}[1"
        #expect(
            text.printable(keeping: [], sequences: ["\u{1B}[1m", "\u{1B}[0m"])
                == "\u{1B}[1mbold\u{1B}[0m \\x1b[2J \\x1b[1")
    }

    @Test func `JSON has the same text with escapes`() {
        let text = "{\n\"a\u{9B}\": \"\u{202E}ü\u{E0001}\"\n}"
        #expect(text.printableJSON == "{\n\"a\\u009b\": \"\\u202eü\\udb40\\udc01\"\n}")
    }

    @Test func `bytes are text if they are UTF-8`() {
        #expect(String(printing: Array("ü\n\u{1B}".utf8)) == "ü\n\\x1b")
        #expect(String(printing: [0x61, 0xFF, 0x1B]) == "a\\xff\\x1b")
    }

    @Test(arguments: [
        ("::error::x", "\\x3a:error::x"), ("a\n  ::stop-commands::t\nb", "a\n  \\x3a:stop-commands::t\nb"),
        ("##[error]x", "\\x23#[error]x"), ("a ::error::x", "a ::error::x"), (": a\n# b\n", ": a\n# b\n"),
    ])
    func `no line is a command to a runner`(text: String, shown: String) {
        #expect(text.withoutRunnerCommands == shown)
    }
}
