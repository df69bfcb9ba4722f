import Report
import Testing

struct TableTests {
    private static let colour = Terminal(isTerminal: true, usesColour: true, columns: 80)

    private var table: Table {
        var table = Table([.init("scenario"), .init("states", .right), .init("verdict")])
        table.add(["smoke", "1", .init("pass", .good)])
        table.add(["power-cut", "12408", .init("violation", .bad)])
        table.add(["kill"])
        return table
    }

    @Test func `columns align, and no line ends with blanks`() {
        #expect(
            table.lines(for: .plain) == [
                "scenario   states  verdict",
                "smoke           1  pass",
                "power-cut   12408  violation",
                "kill",
            ])
    }

    @Test func `colours change nothing but colours`() {
        let shown = table.lines(for: Self.colour)
        #expect(shown[1] == "smoke           1  \u{1B}[32mpass\u{1B}[0m")
        #expect(shown.map { $0.text.replacing(/\u{1B}\[[0-9;]*m/, with: "") } == table.lines(for: .plain).map(\.text))
    }

    @Test func `what somebody else wrote has no colours and is one line`() {
        let forged = "\u{1B}[32mpass\u{1B}[0m\nok"
        let shown = "\\x1b[32mpass\\x1b[0m\\nok"
        var table = Table([.init(""), .init("")])
        table.add([.init(forged, .bad), .init(forged)])
        #expect(table.text(for: Self.colour) == "\u{1B}[1;31m\(shown)\u{1B}[0m  \(shown)\n")
        #expect(table.text(for: .plain) == "\(shown)  \(shown)\n")
        let line: ReportLine = "said \(forged), \(Style.good.shown(forged, on: Self.colour)), \(1)"
        #expect(line.text == "said \(shown), \u{1B}[32m\(shown)\u{1B}[0m, 1")
        #expect([ReportLine(forged), ReportLine("::error::x")].text == "\(shown)\n\\x3a:error::x\n")
    }

    @Test func `a table without titles is its rows`() {
        var table = Table([.init(""), .init("")])
        table.add(["a", "b"])
        #expect(table.text(for: .plain) == "a  b\n")
    }

    @Test(
        arguments: [
            (true, nil, "xterm", true), (true, "", "xterm", true), (true, "1", "xterm", false),
            (false, nil, "xterm", false),
            (true, nil, "dumb", false), (true, nil, nil, true),
        ] as [(Bool, String?, String?, Bool)])
    func `colour is for terminals that have it and users who want it`(
        isTerminal: Bool, noColour: String?, type: String?, expected: Bool
    ) {
        #expect(Terminal.usesColour(isTerminal: isTerminal, noColour: noColour, type: type) == expected)
    }
}
