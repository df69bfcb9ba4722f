import Bytes
import Foundation
import Model
import Testing

struct RuleTextTests {
    @Test(arguments: 0..<20 as Range<UInt64>) func `every rule prints as text that parses to it`(_ seed: UInt64) throws
    {
        var rules = RandomRules(seed: seed)
        for _ in 0..<100 {
            let rule = rules.rule()
            let text = rule.description
            #expect(text.utf8.allSatisfy { (0x20...0x7E).contains($0) }, "seed \(seed): \(text)")
            #expect(try Rule(parsing: text) == rule, "seed \(seed): \(text)")
            #expect(try Rule(parsing: text).description == text, "seed \(seed)")
        }
    }

    /// Rules as people write them, and the one spelling of each.
    static let spellings: [(written: String, printed: String)] = [
        ("write  path=*.wal nth=37            -> EIO", "write path=*.wal nth=37 -> EIO"),
        ("fsync  path=*.wal nth=3  -> EIO lose   # dropped", "fsync path=*.wal nth=3 -> EIO lose"),
        ("fsync -> EIO lose ext4", "fsync -> EIO lose"),
        ("fdatasync -> ENOSPC lose btrfs", "fdatasync -> ENOSPC lose btrfs"),
        ("write\tpath=**    after=10240KiB       -> ENOSPC", "write path=** after=10MiB -> ENOSPC"),
        ("write after-fsync=5 path=*.db -> tear 512", "write path=*.db after-fsync=5 -> tear 512"),
        ("fsync  path=**    p=1/50 -> lie", "fsync path=** p=1/50 -> lie"),
        ("read path=*.sst nth=9 -> bitflip", "read path=*.sst nth=9 -> bitflip"),
        ("read offset=0..4096 size=1.. -> bitflip at-rest", "read offset=0..4KiB size=1.. -> bitflip at-rest"),
        ("read offset=512 size=8..8 -> stale", "read offset=512 size=8 -> stale"),
        ("write nth=12 -> short 100", "write nth=12 -> short 100"),
        ("write nth=12 -> delay 20000us", "write nth=12 -> delay 20ms"),
        ("any -> delay 5ms..1s", "any -> delay 5ms..1s"),
        ("any -> delay exponential 1500us", "any -> delay exponential 1500us"),
        ("write nth=12 -> crash before", "write nth=12 -> crash"),
        ("rename -> crash after", "rename -> crash after"),
        ("any path=db/** -> quota 10MiB", "any path=db/** -> quota 10MiB"),
        ("any -> quota 512 EDQUOT", "any -> quota 512 EDQUOT"),
        ("open between=40..60 process=postgres -> EINTR", "open process=postgres between=40..60 -> EINTR"),
        ("lookup process=12 between=7.. -> EWOULDBLOCK", "lookup process=12 between=7.. -> EAGAIN"),
        ("write path=a\\ b[\\ x] -> drop", "write path=a\\x20b[\\x20x] -> drop"),
        ("write path=a#b -> misdirect #c", "write path=a#b -> misdirect"),
    ]

    @Test(arguments: spellings) func `a rule prints in its canonical form`(_ row: (written: String, printed: String))
        throws
    {
        #expect(try Rule(parsing: row.written).description == row.printed)
    }

    static let wrong: [(text: String, column: Int, expected: String)] = [
        ("", 1, "an operation: read, write, fsync, fdatasync, fsyncdir, any or another operation"),
        ("wrote -> EIO", 1, "an operation"),
        ("write", 6, "a condition (path=, process=, between=, offset=, size=, after=, after-fsync=, nth=, every=, p=)"),
        ("write EIO", 7, "a condition"),
        ("write nth=0 -> EIO", 11, "a number from 1 up"),
        ("write nth=x -> EIO", 11, "a number from 1 up"),
        ("write nth= -> EIO", 11, "a number from 1 up"),
        ("write nth=+3 -> EIO", 11, "a number from 1 up"),
        ("write nth=99999999999999999999 -> EIO", 11, "a number from 1 up"),
        ("write nth=1 every=2 -> EIO", 13, "one of nth=, every= and p=, not two"),
        ("write nth=1 nth=2 -> EIO", 13, "nth= once"),
        ("write p=3/2 -> EIO", 9, "a ratio above 0 and at most 1"),
        ("write p=0/2 -> EIO", 9, "a ratio above 0 and at most 1"),
        ("write p=1/2/3 -> EIO", 9, "a ratio above 0 and at most 1"),
        ("write path=a[b -> EIO", 13, "a ']' that closes this '['"),
        ("write path= -> EIO", 12, "a path pattern"),
        ("write path=/a -> EIO", 12, "a path relative to the mount"),
        ("write after=10MB -> EIO", 13, "a number of bytes, such as 100, 4KiB or 10MiB"),
        ("write after=99999999999TiB -> EIO", 13, "a number of bytes"),
        ("write between=9..3 -> EIO", 15, "operation ids"),
        ("write offset=8..8 -> EIO", 14, "offsets in bytes"),
        ("write size=..8 -> EIO", 12, "sizes in bytes"),
        ("fsync offset=0..8 -> EIO", 7, "offset= only with read or write"),
        ("write colour=red -> EIO", 7, "a condition"),
        ("write ->", 9, "a fault: short BYTES, tear 512, tear 4096, drop, reorder, misdirect, an errno such as EIO"),
        ("write -> EOOPS", 10, "the name of an errno"),
        ("write -> lie", 10, "a fault: short BYTES"),
        ("fsync -> tear 512", 10, "('tear' goes with write)"),
        ("read -> drop", 9, "('drop' goes with write)"),
        ("write -> bitflip", 10, "('bitflip' goes with read)"),
        ("fsyncdir -> EIO lose", 17, "nothing after the fault"),
        ("write -> EIO lose", 14, "nothing after the fault"),
        ("write -> tear 1024", 15, "512 or 4096"),
        ("write -> tear", 14, "512 or 4096"),
        ("write -> short", 15, "a number of bytes"),
        ("write -> delay 20", 16, "a time in ns, us, ms or s, at most 86400s, such as 20ms"),
        ("write -> delay 1h", 16, "a time in ns, us, ms or s"),
        ("write -> delay 9ms..2ms", 16, "such as 20ms, 5ms..20ms or exponential 20ms"),
        ("write -> delay exponential", 27, "a time in ns, us, ms or s"),
        ("write -> delay 86401s", 16, "at most 86400s"),
        ("write -> delay 9000000000s", 16, "at most 86400s"),
        ("write -> delay 99999999999999999999s", 16, "at most 86400s"),
        ("write -> delay 1s..86401s", 16, "at most 86400s"),
        ("write -> delay exponential 9223372036s", 28, "at most 86400s"),
        ("write -> crash now", 16, "nothing after the fault"),
        ("fsync -> EIO lose ntfs", 19, "ext4, ext4-journal, xfs or btrfs"),
        ("any nth=2 -> quota 1MiB", 5, "no nth=, every= or p= with quota"),
        ("write -> quota 1MiB", 10, "('quota' goes with any)"),
        ("any -> quota 1MiB EIO", 19, "ENOSPC or EDQUOT"),
    ]

    @Test(arguments: wrong) func `an invalid rule is refused with its column`(
        _ row: (text: String, column: Int, expected: String)
    ) throws {
        let error = try #require(throws: RuleError.self) { try Rule(parsing: row.text) }
        #expect(error.columnBytes == row.column, "\(error)")
        #expect(error.expected.contains(row.expected), "\(error)")
    }

    @Test func `an error shows the line with a caret below the error`() throws {
        var text = ByteString("# two rules\n\nread -> EIO\n\twrite path=\u{E9}x nth=0 -> EIO # no")
        let error = try #require(throws: RuleError.self) { try Rule.list(parsing: text) }
        #expect(
            error.description == """
                line 4, column 21: expected a number from 1 up, found '0'
                   write path=\\xc3\\xa9x nth=0 -> EIO # no
                                            ^
                """)
        text = "write path="
        let ending = try #require(throws: RuleError.self) { try Rule(parsing: text) }
        #expect(
            ending.description == """
                line 1, column 12: expected a path pattern, such as *.wal or **, found nothing
                  write path=
                             ^
                """)
    }

    @Test(arguments: 0..<20 as Range<UInt64>) func `no text traps the parser`(_ seed: UInt64) {
        var random = RandomStream(seed: seed).stream("text")
        var rules = RandomRules(seed: seed)
        for _ in 0..<200 {
            var bytes = ByteString(rules.rule().description).bytes
            for _ in 0..<3 {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                if random.chance(1, in: 2) { bytes[place] = UInt8(truncatingIfNeeded: random.next()) }
                if random.chance(1, in: 4) { bytes.removeSubrange(place...) }
                if bytes.isEmpty { bytes = [0x5C] }
            }
            do {
                let rule = try Rule(parsing: ByteString(bytes))
                #expect(try Rule(parsing: rule.description) == rule, "seed \(seed): \(ByteString(bytes))")
            } catch {
                #expect((1...bytes.count + 1).contains(error.columnBytes), "seed \(seed): \(error)")
                _ = error.description
            }
        }
    }

    /// Each rule of the manual parses, and is written there as it prints.
    @Test func `the rules in docs/fault-rules.md parse, and are canonical`() throws {
        let manual = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../../../docs/fault-rules.md")
        let text = try String(contentsOf: manual, encoding: .utf8)
        var count = 0
        for block in text.components(separatedBy: "```rules\n").dropFirst() {
            let lines = block.components(separatedBy: "\n```")[0].split(separator: "\n")
            for line in lines where !line.hasPrefix("#") {
                let written = line.split(separator: "#")[0].split(separator: " ").joined(separator: " ")
                #expect(try Rule(parsing: String(line)).description == written)
                count += 1
            }
        }
        #expect(count >= 20)
    }
}
