import CSQLite

/// A prepared statement, finalised at the end of its owner's life. Must end before its database is closed.
struct SQLiteStatement: ~Copyable {
    private let handle: OpaquePointer
    private let sql: String

    init(handle: OpaquePointer, sql: String) {
        self.handle = handle
        self.sql = sql
    }

    deinit { sqlite3_finalize(handle) }

    /// Binds a blob; `index` counts from 1. The bytes are copied.
    func bind(_ index: Int32, _ bytes: [UInt8]) throws {
        // A null pointer would bind NULL, which is not an empty blob.
        let code =
            bytes.isEmpty
            ? sqlite3_bind_zeroblob(handle, index, 0)
            : bytes.withUnsafeBytes {
                sqlite3_bind_blob(handle, index, $0.baseAddress, Int32($0.count), copied)
            }
        try check(code)
    }

    /// Steps to the next row; false when there is none.
    func step() throws -> Bool {
        let code = sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        guard code == SQLITE_DONE else { throw error(code) }
        return false
    }

    /// Resets the statement. Ignores the error of the last run, which `step` has reported.
    func reset() { sqlite3_reset(handle) }

    func text(_ column: Int32) -> String {
        sqlite3_column_text(handle, column).map { String(cString: $0) } ?? ""
    }

    func blob(_ column: Int32) -> [UInt8] {
        let count = Int(sqlite3_column_bytes(handle, column))
        guard count > 0, let start = sqlite3_column_blob(handle, column) else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: count))
    }

    /// SQLITE_TRANSIENT: the library copies before the call returns. The C macro is a cast that Swift does not import.
    private var copied: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }

    private func check(_ code: Int32) throws {
        guard code == SQLITE_OK else { throw error(code) }
    }

    private func error(_ code: Int32) -> SQLiteError {
        SQLiteError(doing: sql, code: code, message: String(cString: sqlite3_errmsg(sqlite3_db_handle(handle))))
    }
}
