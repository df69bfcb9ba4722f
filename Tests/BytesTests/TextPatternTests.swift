import Bytes
import Foundation
import Testing

@Suite struct TextPatternTests {
    static let names: [(name: String, pattern: String)] = [
        // Words stay distinct.
        ("wal", "wal"), ("db", "db"), ("journal", "journal"), ("manifest", "manifest"), ("CURRENT", "CURRENT"),
        ("data", "data"), ("cafe", "cafe"), ("facade", "facade"), ("deadbeef", "deadbeef"),
        ("a.db-journal", "a.db-journal"),
        ("MyFile.LevelDB", "MyFile.LevelDB"), ("README", "README"), ("snapshot_old", "snapshot_old"),
        ("template", "template"), ("tmpfile", "tmpfile"), ("tmp", "tmp"), ("größe.db", "größe.db"),
        ("a,b.db", "a,b.db"), ("my file.db", "my file.db"), ("rhythms", "rhythms"), ("keys/db/index", "keys/db/index"),
        // Numbers.
        ("000012.log", "#.log"), ("0000-0000000001.log", "#-#.log"), ("k17", "k#"), ("MANIFEST-000004", "MANIFEST-#"),
        ("db000012", "db#"), ("2024-01-31T10:00:00", "#-#-#T#:#:#"), ("utf8mb4", "utf#mb#"), ("row1col2", "row#col#"),
        ("ext4ordered2", "ext#ordered#"), ("v1.2.3", "v#.#.#"), ("segment0001a", "segment#a"), ("tmp1234", "tmp#"),
        ("tmpfile1", "tmpfile#"), ("file1.tmp", "file#.tmp"), ("lz4", "lz#"), ("12345678", "#"),
        // Hashes and identifiers.
        ("o/42b674b533599e6455f15698c83215bcb5e6ce12", "o/*"), ("4E66C13B8C4C8C44.blob", "*.blob"),
        ("9f86d081-884c-4d65-a234-c0b3a1f2e4d5.sst", "*.sst"), ("a8d2f0", "*"), ("abcdefabcdefabcd", "*"),
        ("objects/4e/66c13b8c4c8c44a291cde6", "objects/*/*"), ("4e/66/c13b8c4c8c44a291cde6.val", "*/*/*.val"),
        ("db/66c13b8c4c8c44a291cde6", "db/*"), ("wal-66c13b8c4c8c44", "wal-*"),
        ("01ARZ3NDEKTSV4RRFFQ69G5FAV", "*"), ("MFRGGZDFMZTWQ2LK", "*"), ("dGVzdC1rZXk0Mg==", "*"),
        ("Drmhze6EPcv0fN_81Bj-nA", "*"), ("nA-Drmhze6EPcv0fN-wal", "*-wal"), ("v1-66c13b8c4c8c44", "v#-*"),
        ("2024-66c13b8c4c8c44", "#-*"), ("k3J9xQ2a", "*"), ("QkZpWx", "*"),
        // Temporary names.
        ("tmpk3j9x_2a", "tmp*"), ("tmpab12cd", "tmp*"), (".tmpQ3xZ9k", ".tmp*"), ("index.tmp.8f3k2j", "index.tmp.*"),
        ("tmpabcdefgh.json", "tmp*.json"), ("a/tmpk3j9x_2a/b", "a/tmp*/b"),
    ]

    @Test(arguments: names) func `parts that differ from run to run are removed, and names stay distinct`(
        name: String, pattern: String
    ) {
        #expect(TextPattern(of: name).description == TextPattern(printed: pattern).description)
        // A pattern is its own pattern, so that it can be written and read again.
        let again = TextPattern(of: name)
        #expect(TextPattern(of: again.text) == again)
        #expect(TextPattern(printed: again.description) == again)
    }

    static let messages: [(message: String, pattern: String)] = [
        ("checksum at 4096: 0xdeadbeef, expected 0x1234", "checksum at #: #, expected #"),
        ("./db: cannot be read", "./db: cannot be read"), ("empty", "empty"),
        ("Expecting value: line 1 column 512 (char 511)", "Expecting value: line # column # (char #)"),
        ("invalid load key, '\\x8a'.", "invalid load key, '\\x#'."),
        ("object 4e66c13b8c4c8c44 is missing in objects/4e/66c13b8c4c8c44a2", "object * is missing in objects/*/*"),
        ("/tmp/tmpk3j9x_2a/db is locked", "/tmp/tmp*/db is locked"),
        ("<Store object at 0x7f3a2c001d30> is closed", "<Store object at #> is closed"),
    ]

    @Test(arguments: messages) func `a message's pattern has no numbers, hashes and addresses`(
        message: String, pattern: String
    ) {
        #expect(TextPattern(ofMessage: message) == TextPattern(printed: pattern.replacing("\\", with: "\\\\")))
    }

    @Test func `only the start of a long message counts`() {
        let dump = String(repeating: "ab ", count: 10_000)
        #expect(TextPattern(ofMessage: "bad page: " + dump) == TextPattern(ofMessage: "bad page: " + dump + "more"))
        #expect(TextPattern(ofMessage: "bad page: " + dump).text.count == 300)
    }

    @Test func `a name of any bytes has a pattern that round-trips`() throws {
        let names: [ByteString] = [
            "a\nb.db", "tab\there7", ByteString([0xFF, 0x00, UInt8(ascii: "1")]), "back\\slash2", "",
        ]
        for name in names {
            let pattern = TextPattern(of: name)
            let text = try JSONEncoder().encode([pattern])
            #expect(try JSONDecoder().decode([TextPattern].self, from: text) == [pattern])
        }
        #expect(TextPattern(of: names[0]).description == "a\\x0ab.db")
    }
}
