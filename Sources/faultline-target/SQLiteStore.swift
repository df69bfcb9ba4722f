import Bytes
import Oracle
import Targets

/// A key-value table in a SQLite database. Each call is one transaction.
///
/// Workload and recovery open it the same way, as an application would after a crash.
struct SQLiteStore: WorkloadStore, ~Copyable {
    /// The durability settings: `PRAGMA journal_mode` and `PRAGMA synchronous`.
    struct Configuration {
        var journalMode: String
        var synchronous: String
    }

    private let database: SQLiteDatabase
    private let timings: CallTimings?

    /// Opens the database in `directory`. SQLite rolls back a hot journal or recovers a write-ahead log here or at the
    /// first statement.
    init(directory: ByteString, _ configuration: Configuration, _ timings: CallTimings? = nil) throws {
        self.timings = timings
        let database = try SQLiteDatabase(path: ByteString(directory.bytes + Array("/a.db".utf8)))
        let mode = try database.execute("PRAGMA journal_mode=\(configuration.journalMode)").first
        guard mode == configuration.journalMode else {
            throw SQLiteError(
                doing: "PRAGMA journal_mode=\(configuration.journalMode)", code: 0,
                message: "the mode stayed \(mode ?? "unknown")")
        }
        try database.execute("PRAGMA synchronous=\(configuration.synchronous)")
        self.database = database
    }

    consuming func close() throws { try database.close() }

    /// Creates the table if needed, in its own transaction.
    func makeTable() throws {
        try database.execute("CREATE TABLE IF NOT EXISTS kv (key BLOB PRIMARY KEY, value BLOB NOT NULL)")
    }

    static var readsBack: Bool { true }

    func put(_ key: ByteString, _ payload: [UInt8]) throws {
        guard timings != nil else { return try insert(key, payload) }
        // The same transaction in two calls, so that the commit is timed on its own.
        do {
            try timings.timing(.put) {
                try database.execute("BEGIN")
                try insert(key, payload)
            }
            try timings.timing(.sync) { _ = try database.execute("COMMIT") }
        } catch {
            // After some errors SQLite has rolled back already; then this one fails, and nothing is lost.
            _ = try? database.execute("ROLLBACK")
            throw error
        }
    }

    private func insert(_ key: ByteString, _ payload: [UInt8]) throws {
        try run("INSERT OR REPLACE INTO kv (key, value) VALUES (?, ?)", key.bytes, payload)
    }

    func get(_ key: ByteString) throws -> [UInt8]? {
        let statement = try database.prepare("SELECT value FROM kv WHERE key = ?")
        try statement.bind(1, key.bytes)
        return try statement.step() ? statement.blob(0) : nil
    }

    func delete(_ key: ByteString) throws { try run("DELETE FROM kv WHERE key = ?", key.bytes) }

    func commit(_ batch: [OracleOperation]) throws {
        try database.execute("BEGIN")
        for operation in batch {
            switch operation.action {
            case .put(let payload): try insert(operation.key, payload)
            case .delete: try delete(operation.key)
            }
        }
        try database.execute("COMMIT")
    }

    private func run(_ sql: String, _ values: [UInt8]...) throws {
        let statement = try database.prepare(sql)
        for (index, value) in values.enumerated() { try statement.bind(Int32(index + 1), value) }
        _ = try statement.step()
    }

    /// Checks the whole database, then passes each row to `emit`. A database without the table is empty: its creation
    /// was not acknowledged.
    func dump(_ emit: (ByteString, [UInt8]) throws -> Void) throws {
        let problems = try database.execute("PRAGMA integrity_check")
        guard problems == ["ok"] else {
            throw SQLiteError(doing: "PRAGMA integrity_check", code: 0, message: problems.joined(separator: "; "))
        }
        guard try !database.execute("SELECT name FROM sqlite_schema WHERE name = 'kv'").isEmpty else { return }
        let rows = try database.prepare("SELECT key, value FROM kv ORDER BY key")
        while try rows.step() { try emit(ByteString(rows.blob(0)), rows.blob(1)) }
    }
}
