import Bytes
import Foundation
import Oracle
import Storage
import Testing

@testable import Machine
@testable import Runs

/// The oracle of a run, whose text stays in its file.
@Suite struct OracleHistoryTests {
    private let temporary: TemporaryDirectory
    private let path: ByteString
    private let memory: MemoryGuard

    init() throws {
        temporary = try TemporaryDirectory()
        path = ByteString(temporary.path + "/oracle.jsonl")
        let budget = MemoryBudget(limitBytes: 16 << 10, spillDirectory: ByteString(temporary.path))
        memory = MemoryGuard(budget, of: MemorySize(bytes: 1 << 40))
    }

    private func lines(_ seqs: ClosedRange<UInt64>, bytes: Int = 2000) -> [UInt8] {
        seqs.flatMap { seq in
            let payload = [UInt8](repeating: UInt8(truncatingIfNeeded: seq), count: bytes)
            let operation = OracleOperation(seq: seq, key: ByteString("k\(seq % 5)"), action: .put(payload: payload))
            return OracleLine.begin(operation).encoded + OracleLine.acknowledged(operation).encoded
        }
    }

    private func observation(after last: UInt64, bytes: Int = 2000) -> Observation {
        var contents: [ByteString: [UInt8]] = [:]
        for seq in 1...last { contents[ByteString("k\(seq % 5)")] = [UInt8](repeating: UInt8(seq), count: bytes) }
        return Observation(contents)
    }

    @Test func `what was put aside is judged as what is in memory`() throws {
        try OutputFile.append(lines(1...100), to: path)
        var history = OracleHistory(path, memory)
        try history.readAll()
        #expect(history.acknowledged == 100 && history.lineCount == 200 && history.nextSeq == 101)
        for last in [1, 50, 99, 100] as [UInt64] {
            let line = Int(last) * 2
            #expect(history.validator.judge(observation(after: last), contract: .durable, at: line).verdict == .pass)
            var wrong = observation(after: last)
            wrong["k1"] = [1, 2, 3]
            let judgement = history.validator.judge(wrong, contract: .durable, at: line)
            #expect(judgement.verdict == .violation)
        }
        #expect(memory.problem == nil)
    }

    @Test func `a life's lines are taken once, and one that was cut short is cut off`() throws {
        var history = OracleHistory(path, memory)
        try history.readNewLines()
        #expect(history.lineCount == 0, "no file is no line")
        let first = lines(1...3)
        try OutputFile.append(first + Array(lines(4...4).prefix(100)), to: path)
        try history.readNewLines()
        #expect(history.lineCount == 6 && history.takenBytes == first.count && RunFiles.size(of: path) == first.count)
        try history.restart(showing: observation(after: 3))
        try OutputFile.append(lines(4...200), to: path)
        try history.readNewLines()
        #expect(
            history.lineCount == 401 && history.acknowledged == 200 && history.takenBytes == RunFiles.size(of: path))
        for count in [0, 1, 7, 400, 401, .max] {
            let copy = ByteString(temporary.path + "/copy-\(count)")
            try history.text(firstLines: count).copy(to: copy)
            let all = try RunFiles.read(path).split(separator: UInt8(ascii: "\n"))
            #expect(try RunFiles.read(copy).split(separator: UInt8(ascii: "\n")) == Array(all.prefix(count)))
        }
    }

    @Test func `a file that somebody else changed is an error`() throws {
        try OutputFile.append(lines(1...3), to: path)
        var history = OracleHistory(path, memory)
        try history.readAll()
        var text = try RunFiles.read(path)
        text[200] ^= 1
        try RunFiles.remove(path)
        try OutputFile.append(text + lines(4...4), to: path)
        #expect(throws: RunError.self) { try history.readAll() }
        try RunFiles.truncate(path, to: 100)
        #expect(throws: RunError.self) { try history.readAll() }
    }
}
