import Bytes
import Engine
import Foundation
import Glibc
import Storage
import Testing

/// kill -9 in the middle of appends, rotations, compactions and exports, at a random moment; then the store is opened
/// and held to what it had acknowledged.
@Suite(.enabled(if: Faultline.path != nil, "the program was not built beside the tests"))
struct EngineKillTests {
    private let temporary: TemporaryDirectory
    private var directory: ByteString { ByteString(temporary.path + "/store") }

    init() throws {
        temporary = try TemporaryDirectory()
        try FileManager.default.createDirectory(atPath: temporary.path + "/store", withIntermediateDirectories: false)
    }

    /// One line of the oracle: begun, or acknowledged.
    private struct Line: Decodable {
        var op: String
        var key: String
        var payload: String?
        var phase: String?
    }

    /// What each key may show: the last acknowledged value, and each that was begun since. Nil is no key.
    private func allowed(_ oracle: String) throws -> [String: [String?]] {
        var allowed: [String: [String?]] = [:]
        for text in try String(contentsOfFile: oracle, encoding: .utf8).split(separator: "\n") {
            // The kill may have cut the last line.
            guard let line = try? JSONDecoder().decode(Line.self, from: Data(text.utf8)) else { continue }
            let value = line.op == "put" ? line.payload ?? "" : nil
            if line.phase == "begin" {
                allowed[line.key, default: [nil]].append(value)
            } else {
                allowed[line.key] = [value]
            }
        }
        return allowed
    }

    /// Segments of 32 KiB fill all the while, and every fifth operation compacts, in one of two.
    @Test(arguments: 0..<6 as Range<Int>) func aKilledWriterLosesNothingThatItAcknowledged(_ round: Int) throws {
        let process = Process()
        let program = try #require(Faultline.path)
        process.executableURL = URL(filePath: program).deletingLastPathComponent().appending(path: "faultline-target")
        process.arguments = ["engine", "workload", "--compact_every=\(round % 2 == 0 ? 0 : 40)"]
        let oracle = temporary.path + "/oracle.jsonl"
        process.environment = [
            "FAULTLINE_DIR": temporary.path + "/store", "FAULTLINE_ORACLE": oracle, "FAULTLINE_SEED": "\(round)",
            "FAULTLINE_OPS": "1000000", "FAULTLINE_ORACLE_MAY_SHARE": "1",
        ]
        try process.run()
        let timeLimit = Date.now + 20
        while (try? FileManager.default.attributesOfItem(atPath: oracle)[.size] as? Int) ?? 0 < 5000,
            Date.now < timeLimit
        {
            usleep(1000)
        }
        usleep(UInt32.random(in: 0..<150_000))
        Glibc.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        #expect(process.terminationReason == .uncaughtSignal, "it was killed at work")
        let allowed = try allowed(oracle)
        #expect(!allowed.isEmpty)
        let store = try KeyValueStore.open(storage: PosixStorage(directory: directory))
        var shown = 0
        for (key, values) in allowed {
            let bytes = try Base64.decode(Array(key.utf8))
            let found = try store.get(ByteString(bytes)).map { String(decoding: Base64.encode($0), as: UTF8.self) }
            #expect(values.contains(found), "round \(round): \(key)")
            if found != nil { shown += 1 }
        }
        #expect(shown == store.count, "no key from nowhere")
        try store.put("after", [1])
        try store.close()
    }

    private func filled() throws -> [ByteString: [UInt8]] {
        let store = try KeyValueStore.open(
            storage: PosixStorage(directory: directory),
            options: KeyValueOptions(log: LogOptions(segmentSizeBytes: 256 << 10)))
        var expected: [ByteString: [UInt8]] = [:]
        for index in 0..<20_000 {
            let key = ByteString("k\(index % 7000)")
            expected[key] = [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: index % 200)
            try store.put(key, expected[key]!)
        }
        try store.close()
        return expected
    }

    private func names(_ path: String) throws -> Set<String> {
        Set(try FileManager.default.contentsOfDirectory(atPath: path))
    }

    /// Runs `faultline store` once to its end, and then again and again, killing it ever later between the moment at which it
    /// begins to change files and that of its end. `lands` says whether the kill fell into the middle of it; three must.
    private func kill(
        _ arguments: [String], begins: (_ before: Set<String>) throws -> Bool,
        lands: (_ before: Set<String>) throws -> Bool, check: () throws -> Void
    ) throws {
        let attempts = 24
        var duration = Duration.zero
        var landed = 0
        for attempt in 0...attempts {
            let before = try names(temporary.path + "/store")
            let (process, _, _) = try Faultline.start(["store"] + arguments, directory: temporary.path)
            while process.isRunning, try !begins(before) { usleep(200) }
            let began = ContinuousClock.now
            if attempt == 0 {
                process.waitUntilExit()
                duration = ContinuousClock.now - began
            } else {
                usleep(UInt32(duration * (attempt - 1) / attempts / .microseconds(1)))
                Glibc.kill(process.processIdentifier, SIGKILL)
                process.waitUntilExit()
                if try lands(before) { landed += 1 }
            }
            try check()
        }
        #expect(landed >= 3, "of \(attempts) kills \(landed) fell into it")
    }

    /// It begins with a segment that was not there, and ends with the removal of all that were.
    @Test func aKilledCompactionLosesNothing() throws {
        let expected = try filled()
        try kill(["compact", "store"]) { before in
            try !names(temporary.path + "/store").isSubset(of: before)
        } lands: { before in
            let left = try names(temporary.path + "/store").filter { $0.hasSuffix(".log") }
            return !left.isSubset(of: before) && !left.isDisjoint(with: before)
        } check: {
            let store = try KeyValueStore.open(storage: PosixStorage(directory: directory))
            #expect(store.count == expected.count)
            for (key, value) in expected { #expect(try store.get(key) == value) }
            try store.close()
        }
    }

    @Test func aKilledExportLeavesTheOldOneOrTheNewOne() throws {
        _ = try filled()
        let file = temporary.path + "/out.jsonl"
        #expect(try Faultline.run(["store", "export", "store", "out.jsonl"], directory: temporary.path).status == 0)
        let old = try Data(contentsOf: URL(filePath: file))
        let store = try KeyValueStore.open(storage: PosixStorage(directory: directory))
        try store.put("new", [1])
        try store.close()
        #expect(try Faultline.run(["store", "export", "store", "new.jsonl"], directory: temporary.path).status == 0)
        let new = try Data(contentsOf: URL(filePath: temporary.path + "/new.jsonl"))
        // What is being written has no name: that the old file is still there says that it was not done.
        func number() throws -> UInt64? {
            try FileManager.default.attributesOfItem(atPath: file)[.systemFileNumber] as? UInt64
        }
        var numberBefore: UInt64?
        try kill(["export", "store", "out.jsonl"]) { _ in
            numberBefore = try number()
            return true
        } lands: { _ in
            try number() == numberBefore
        } check: {
            let found = try Data(contentsOf: URL(filePath: file))
            #expect(found == old || found == new)
        }
        #expect(try Faultline.run(["store", "export", "store", "out.jsonl"], directory: temporary.path).status == 0)
        #expect(try Data(contentsOf: URL(filePath: file)) == new, "what a killed export left is in nobody's way")
    }
}
