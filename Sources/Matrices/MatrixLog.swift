import Bytes
import Foundation
import Machine
import Platform
import Runs
import Storage
import Targets

/// The results of a matrix run, as JSON lines. The first line identifies the matrix and the shard; each further line
/// has the index and the row of a finished cell. An incomplete last line is ignored.
package final class MatrixLog: Sendable {
    package struct Header: Codable, Hashable, Sendable {
        package var matrix: String
        package var cells: Int
        package var shard: Shard
    }

    private struct Line: Codable {
        var cell: Int
        var row: MatrixRow
    }

    package struct Damage: Error, CustomStringConvertible {
        package var description: String
    }

    package let path: ByteString
    package let header: Header
    private let writing = Guarded(())

    /// The directory of the file, as an absolute path that ends with a slash.
    package var folder: String { RunResult.folder(of: ((try? path.absolutePath()) ?? path).shown) }

    private init(_ path: ByteString, _ header: Header) {
        self.path = path
        self.header = header
    }

    /// Creates `matrix-N.jsonl` in `parent`, with the first free N.
    package static func make(in parent: ByteString, _ matrix: Matrix, _ shard: Shard) throws -> MatrixLog {
        let header = Header(matrix: matrix.fingerprint, cells: matrix.cells.count, shard: shard)
        let first = try line(header)
        let parents = try RunDirectory.makeParent(parent)
        for number in 1...1_000_000 {
            let path = parent.appending(component: ByteString("matrix-\(number).jsonl"))
            do throws(OutputError) {
                try OutputFile.create(path, first, permissions: 0o644)
            } catch {
                if error.reason == .exists { continue }
                parents.removeEmpty()
                throw error
            }
            return MatrixLog(path, header)
        }
        throw Damage(description: "\(parent) holds a million matrix files")
    }

    /// Opens the file of an earlier run of the same matrix to append to it. Also returns the finished rows, by cell.
    package static func resume(
        _ path: ByteString, _ matrix: Matrix, program: String
    ) throws -> (MatrixLog, [Int: MatrixRow]) {
        let (header, rows, wholeBytes) = try read(path, program: program)
        guard header.matrix == matrix.fingerprint else {
            throw Damage(
                description: "\(path) is of another matrix: its cells are not these; begin anew without --resume")
        }
        try RunFiles.truncate(path, to: wholeBytes)
        return (MatrixLog(path, header), rows)
    }

    /// Appends a finished cell. Thread safe.
    package func append(_ cell: Int, _ row: MatrixRow) throws {
        let text = try Self.line(Line(cell: cell, row: row))
        try writing.withLock { _ in try OutputFile.append(text, to: path) }
    }

    private static func line(_ value: some Encodable) throws -> [UInt8] {
        try JSONText.bytes(of: value, .line)
    }

    /// Reads a file. Also returns the length of its complete lines in bytes.
    ///
    /// - Parameter program: the name of this program in commands.
    package static func read(
        _ path: ByteString, program: String
    ) throws -> (header: Header, rows: [Int: MatrixRow], wholeBytes: Int) {
        let bytes = try RunFiles.read(path)
        let folder = RunResult.folder(of: try path.absolutePath().shown)
        let wholeBytes = bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        var header: Header?
        var rows: [Int: MatrixRow] = [:]
        for (number, text) in bytes[..<wholeBytes].split(separator: UInt8(ascii: "\n")).enumerated() {
            do {
                guard header != nil else {
                    header = try JSONDecoder().decode(Header.self, from: Data(text))
                    continue
                }
                let line = try JSONDecoder().decode(Line.self, from: Data(text))
                rows[line.cell] = line.row.resolvingLocalPaths(in: folder, program: program)
            } catch {
                throw Damage(description: "\(path):\(number + 1): no line of a matrix's results")
            }
        }
        guard let header else { throw Damage(description: "\(path): no results of a matrix: it has no first line") }
        guard let bad = rows.keys.first(where: { !(0..<header.cells).contains($0) || !header.shard.holds($0) }) else {
            return (header, rows, wholeBytes)
        }
        throw Damage(description: "\(path): cell \(bad) does not belong to shard \(header.shard)")
    }

    /// The rows of all shards of a matrix, in the order of its cells. Throws if a shard or a cell is missing.
    package static func merge(_ paths: [ByteString], program: String) throws -> [MatrixRow] {
        var first: (path: ByteString, header: Header)?
        var shards: [Int: ByteString] = [:]
        var rows: [Int: MatrixRow] = [:]
        for path in paths {
            let (header, found, _) = try read(path, program: program)
            if let first, first.header.matrix != header.matrix || first.header.shard.count != header.shard.count {
                throw Damage(description: "\(path) and \(first.path) are of different matrices")
            }
            first = first ?? (path, header)
            if let other = shards.updateValue(path, forKey: header.shard.number) {
                throw Damage(description: "\(path) and \(other) are both shard \(header.shard)")
            }
            rows.merge(found) { _, new in new }
        }
        guard let header = first?.header else { throw Damage(description: "nothing to merge") }
        let missing = (1...header.shard.count).filter { shards[$0] == nil }
        guard missing.isEmpty else {
            let names = missing.map { "\($0)/\(header.shard.count)" }.joined(separator: ", ")
            throw Damage(description: "shards are missing: \(names)")
        }
        let unfinished = (0..<header.cells).filter { rows[$0] == nil }
        guard unfinished.isEmpty else {
            throw Damage(
                description: "\(unfinished.count.counted("cell is", "cells are")) not finished; go on with "
                    + "`faultline matrix --resume` where they belong")
        }
        return (0..<header.cells).compactMap { rows[$0] }
    }
}
