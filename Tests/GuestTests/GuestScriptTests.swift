import Bytes
import Foundation
import Testing

@testable import Guest

/// What the guest's shell is given.
struct GuestScriptTests {
    /// What the shell of this machine makes of a script.
    private func output(of script: [UInt8]) throws -> (status: Int32, text: String) {
        let (process, input, output) = (Process(), Pipe(), Pipe())
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-s"]
        (process.standardInput, process.standardOutput) = (input, output)
        try process.run()
        input.fileHandleForWriting.write(Data(script))
        try input.fileHandleForWriting.close()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }

    @Test(arguments: ["plain", "two words", "it's", "$HOME", "`id`", "a\nb", "*", "", "-n", "\\", "ü"])
    func `a word reaches the command as it is`(word: String) throws {
        let task = GuestTask(["/usr/bin/printf", "[%s]", ByteString(word)], in: "/")
        let said = try output(of: GuestScript.command(task))
        #expect(said.text == "[\(word)]" && said.status == 0)
    }

    @Test func `the command runs in its directory, with its environment and its own status`() throws {
        var task = GuestTask(["/bin/sh", "-c", "pwd; echo \"$SECRET$FAULTLINE_MACHINE\"; exit 7"], in: "/usr/share")
        task.environment["SECRET"] = "it's $5 "
        let said = try output(of: GuestScript.command(task))
        #expect(said.text == "/usr/share\nit's $5 host\n" && said.status == 7)
        let missing = GuestTask(["/bin/true"], in: "/nowhere/at/all")
        #expect(try output(of: GuestScript.command(missing)).status == 125)
    }

    @Test func `a zero byte is refused`() {
        let task = GuestTask([ByteString([97, 0, 98])], in: "/")
        #expect(throws: GuestError.notPassable(ByteString([97, 0, 98]))) { try GuestScript.command(task) }
    }

    @Test func `the console tells a panic and a process killed for want of memory`() {
        let console = GuestConsole(
            Array("a\r\n[ 1.5] Out of memory: Killed process 77 (hog)\r\nKernel panic - not syncing: sysrq\r\n".utf8))
        #expect(console.outOfMemory == "[ 1.5] Out of memory: Killed process 77 (hog)")
        #expect(console.panic == "Kernel panic - not syncing: sysrq")
        #expect(GuestConsole([0xFF, 0x1B, 10]).panic == nil)
    }
}
