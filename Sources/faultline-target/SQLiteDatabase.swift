import Bytes
import CSQLite

/// An error of SQLite, with its message.
struct SQLiteError: Error, CustomStringConvertible {
    var doing: String
    var code: Int32
    var message: String

    var description: String { "SQLite cannot \(doing): \(message) (\(code))" }
}

/// A connection to a SQLite database: a minimal wrapper of the C library that cannot leak statements.
///
/// Not thread safe. Ends with `close`, which reports errors, or with its owner.
struct SQLiteDatabase: ~Copyable {
    private var handle: OpaquePointer?

    /// Opens the database file `path`; creates it if needed.
    init(path: ByteString) throws {
        let terminated = path.bytes + [0]
        let code = terminated.withUnsafeBytes {
            sqlite3_open_v2(
                $0.bindMemory(to: CChar.self).baseAddress, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nil)
        }
        guard code == SQLITE_OK else {
            // Even a failed open returns a handle, which has the error message.
            let error = SQLiteError(doing: "open \(path)", code: code, message: message(code))
            sqlite3_close(handle)
            handle = nil
            throw error
        }
        sqlite3_extended_result_codes(handle, 1)
    }

    deinit { sqlite3_close(handle) }

    /// Closes the connection. All its statements must be finalised.
    consuming func close() throws {
        let code = sqlite3_close(handle)
        guard code == SQLITE_OK else { throw SQLiteError(doing: "close", code: code, message: message(code)) }
        handle = nil
    }

    /// Runs a statement without values and returns the first column of its rows as text.
    @discardableResult
    func execute(_ sql: String) throws -> [String] {
        var rows: [String] = []
        let statement = try prepare(sql)
        while try statement.step() { rows.append(statement.text(0)) }
        return rows
    }

    func prepare(_ sql: String) throws -> SQLiteStatement {
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v2(handle, sql, -1, &statement, nil)
        guard code == SQLITE_OK, let statement else {
            throw SQLiteError(doing: sql, code: code, message: message(code))
        }
        return SQLiteStatement(handle: statement, sql: sql)
    }

    private func message(_ code: Int32) -> String {
        String(cString: handle == nil ? sqlite3_errstr(code) : sqlite3_errmsg(handle))
    }
}
