import Bytes
import FaultFS
import Glibc
import Model
import Testing

/// A real store: a power cut right after an acknowledgement that keeps only what is guaranteed.
@Suite(.enabled(if: Bench.canMount), .serialized) struct StoreTests {
    /// The rows that SQLite still has after a power cut right after the fifth acknowledgement.
    @Test(arguments: [
        ("delete", "full", 4), ("delete", "extra", 5), ("wal", "full", 5), ("persist", "full", 5), ("delete", "off", 0),
    ])
    func `SQLite keeps what its settings promise`(journalMode: String, synchronous: String, rows: Int) throws {
        let bench = try Bench(
            prepare: "sqlite3 a.db 'PRAGMA journal_mode=\(journalMode); CREATE TABLE t(k INTEGER PRIMARY KEY, v);'"
        ) { $0.crashPoint = CrashPoint(.after, 5, .oracleLines) }
        let result = bench.run(
            """
            { echo 'PRAGMA journal_mode=\(journalMode);'
            for i in 1 2 3 4 5 6 7; do
              echo "PRAGMA synchronous=\(synchronous); PRAGMA wal_autocheckpoint=0; INSERT INTO t VALUES($i, hex(randomblob(900)));"
              echo ".shell echo $i >> .faultline/oracle"
            done; } | sqlite3 a.db
            """)
        #expect(bench.mount.isFrozen, "\(result.output)")
        let cut = try bench.mount.cutPower(.strict, .nothing)
        let found = Shell.run(
            "cd '\(bench.backing)' && sqlite3 a.db 'PRAGMA integrity_check; SELECT count(*) FROM t;' && wc -l < ../oracle"
        )
        #expect(found.output == "ok\n\(rows)\n5\n", "lost: \(cut.lossDescriptions)")
    }
}
