import Testing

@testable import Guest

struct GuestConsoleTests {
    private static let panic = "[ 5.1] Kernel panic - not syncing: sysrq triggered crash"

    /// The console of a guest that printed so many lines before a panic, and so many after it.
    private func console(before: Int, after: Int) -> GuestConsole {
        let lines = (0..<before).map { "before \($0)" } + [Self.panic] + (0..<after).map { "trace \($0)" }
        return GuestConsole(Array(lines.joined(separator: "\r\n\r\n").utf8))
    }

    @Test(arguments: [(0, 0), (2, 0), (40, 5), (40, 29), (40, 30), (0, 200), (40, 5000)])
    func `the kept lines have the panic and the end, however long the trace after it is`(before: Int, after: Int) {
        let console = console(before: before, after: after)
        #expect(console.panic == Self.panic)
        #expect(console.tail.contains(Self.panic))
        #expect(console.tail.count <= 30)
        #expect(console.tail.last == (after == 0 ? Self.panic : "trace \(after - 1)"))
        #expect(before == 0 || after == 29 || console.tail.contains("before \(before - 1)"))
    }

    @Test func `without a panic the last lines are kept`() {
        let console = GuestConsole(Array((0..<100).map { "line \($0)\n" }.joined().utf8))
        #expect(console.panic == nil)
        #expect(console.tail == (70..<100).map { "line \($0)" })
    }
}
