import Bytes
import Foundation
import Storage
import Testing

/// Directories as byte strings.
struct DirectoryContentsTests {
    /// What two shell scripts leave is told apart, or not; nil where a directory is not read.
    @Test(arguments: [
        ("mkdir d; echo 1 > d/f", "mkdir d; echo 1 > d/f; touch -d 1999-01-01 d/f d", true),
        ("mkdir d; echo 1 > d/f", "mkdir d; echo 2 > d/f", false),
        ("mkdir d; echo 1 > d/f", "mkdir d; echo 1 > f", false),
        ("mkdir d; echo 1 > d/f", "mkdir d; echo 1 > d/f; chmod 700 d", false),
        ("mkdir d; echo 1 > d/f", "mkdir d; echo 1 > d/f; chmod 600 d/f", false),
        ("mkdir d; : > d/a; : > b", "mkdir d; : > d/a; : > d/b", false),
        ("mkdir d", ": > d", false),
        ("printf ab > a", "printf a > a; printf b > b", false),
    ])
    func `equal means equal names, modes and contents`(one: String, other: String, isEqual: Bool) throws {
        let (first, second) = (try contents(one), try contents(other))
        #expect(first != nil && second != nil)
        #expect((first == second) == isEqual)
    }

    @Test(arguments: [
        "ln -s x l", "mkdir d; mkfifo d/p", "echo 1 > a; ln a b", "mkdir d; truncate -s 9M d/large",
        "echo 1 > a; setfattr -n user.k -v v a", "mkdir d; setfattr -n user.k -v v d",
        "mkdir -p 1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16",
    ])
    func `what is not compared is not read`(_ script: String) throws { #expect(try contents(script) == nil) }

    private func contents(_ script: String) throws -> [UInt8]? {
        let place = try TemporaryDirectory()
        let shell = Process()
        shell.executableURL = URL(filePath: "/bin/sh")
        shell.arguments = ["-ec", script]
        shell.currentDirectoryURL = URL(filePath: place.text)
        try shell.run()
        shell.waitUntilExit()
        try #require(shell.terminationStatus == 0)
        return DirectoryContents.read(place.path)
    }
}
