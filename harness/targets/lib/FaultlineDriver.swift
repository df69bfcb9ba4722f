// Drives a store for Faultline (docs/targets.md). Copy this file beside your driver; it needs Swift 6 and no package. Implement
// `Store`, and let main.swift call `drive(YourStore.self)`. Throw `Refused` from put or delete for an operation that the store
// refused although it is well. Any other error ends the workload with exit status 1; of init or dump it says that the store does
// not open.
import Foundation

struct Refused: Error {}

protocol Store {
    init(directory: String) throws  // it may hold what a crash left
    func put(_ key: [UInt8], _ value: [UInt8]) throws  // durable when it returns, unless `group` is more than 1
    func delete(_ key: [UInt8]) throws  // the same; the key may be absent
    func sync() throws  // once for `group` operations
    func dump(_ entry: (_ key: [UInt8], _ value: [UInt8]) -> Void) throws
    func check() -> String?  // the store's own checker, after dump: its complaint, "ok", or nil if there is none
    func close() throws  // frees locks, too: the next recovery may begin at once
}

extension Store {
    func sync() throws {}
    func check() -> String? { nil }
}

private func fail(_ what: String, status: Int32) -> Never {
    FileHandle.standardError.write(Data((what + "\n").utf8))
    exit(status)
}

private func variable(_ name: String) -> String {
    if let text = ProcessInfo.processInfo.environment[name], !text.isEmpty { return text }
    fail("\(name) is not set: run the driver with faultline run MANIFEST --scenario smoke", status: 2)
}

private func number(_ name: String, _ otherwise: Int) -> Int {
    guard let text = ProcessInfo.processInfo.environment[name], !text.isEmpty else { return otherwise }
    guard let value = Int(text) else { fail("\(name)=\(text) is not a number", status: 2) }
    return value
}

/// Writes all of it: one write(2), and more only if it was short.
private func write(_ text: String, to file: Int32) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { Foundation.write(file, $0.baseAddress, $0.count) }
        if count < 0, errno != EINTR { fail("write: \(String(cString: strerror(errno)))", status: 2) }
        rest = rest.dropFirst(max(0, count))
    }
}

private func quoted(_ text: String) -> String { (try? JSONEncoder().encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"?\"" }
private func base64(_ bytes: [UInt8]) -> String { "\"" + Data(bytes).base64EncodedString() + "\"" }

private struct Random {  // splitmix64
    var state: UInt64
    mutating func below(_ end: Int) -> Int {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return Int((z ^ z >> 31) % UInt64(max(1, end)))
    }
}

/// An operation of the workload, from the seed and its number alone; a delete has no value.
private struct Operation {
    var seq: Int
    var key: [UInt8]
    var value: [UInt8]?

    init(seed: UInt64, seq: Int, maxValue: Int) {
        var random = Random(state: seed &* 0x2545_f491_4f6c_dd1d &+ UInt64(seq))
        let index = String(random.below(number("FAULTLINE_KEYS", 10)))
        let width = max(0, number("FAULTLINE_KEY_LEN", 3) - 1 - index.count)
        (self.seq, key) = (seq, Array("k".utf8) + [UInt8](repeating: 48, count: width) + Array(index.utf8))
        if random.below(12) == 0 { return }
        let (kind, small) = (random.below(64), random.below(maxValue))
        let size = number("FAULTLINE_VALUE_LEN", kind == 0 && maxValue == 3000 ? 65536 : kind < 5 ? 0 : small)
        let mark = Array("\(seq) ".utf8).prefix(size)
        value = mark + (mark.count..<size).map { _ in UInt8(random.below(256)) }
    }

    func note(_ phase: String?, _ oracle: Int32) {
        var line = "{\"op\":\"\(value == nil ? "del" : "put")\",\"seq\":\(seq),\"key\":\(base64(key))"
        if let value { line += ",\"payload\":\(base64(value))" }
        if let phase { line += ",\"phase\":\"\(phase)\"" }
        write(line + "}\n", to: oracle)
        if fdatasync(oracle) != 0 { fail("the oracle: \(String(cString: strerror(errno)))", status: 2) }
    }
}

private func workload(_ type: any Store.Type, _ group: Int, _ maxValue: Int) throws {
    let oracle = open(variable("FAULTLINE_ORACLE"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    if oracle < 0 { fail("FAULTLINE_ORACLE: \(String(cString: strerror(errno)))", status: 2) }
    var (seq, left) = (number("FAULTLINE_FIRST_SEQ", 1), number("FAULTLINE_ACKS", -1))
    let (seed, end) = (UInt64(variable("FAULTLINE_SEED")) ?? 1, seq + number("FAULTLINE_OPS", 100))
    let deadline = Date(timeIntervalSinceNow: Double(number("FAULTLINE_DURATION", 1 << 30)))
    let store = try type.init(directory: variable("FAULTLINE_DIR"))
    while seq < end, Date() < deadline {
        var waiting: [Operation] = []
        do {
            while seq < end, waiting.count < max(1, group) {
                let one = Operation(seed: seed, seq: seq, maxValue: maxValue)
                one.note("begin", oracle)
                (seq, waiting) = (seq + 1, waiting + [one])
                do { if let value = one.value { try store.put(one.key, value) } else { try store.delete(one.key) } } catch is Refused {
                    waiting.removeLast().note("failed", oracle)
                }
            }
            try store.sync()
        } catch {
            for one in waiting { one.note("failed", oracle) }
            throw error
        }
        for one in waiting {
            while left == 0 { pause() }  // FAULTLINE_ACKS: wait to be killed
            left -= 1
            one.note(nil, oracle)
        }
    }
    try store.close()
}

/// The whole dump, or the error alone. The store is closed before.
private func recover(_ type: any Store.Type, _ directory: String) -> String {
    do {
        var lines = ""
        let store = try type.init(directory: directory)
        try store.dump { lines += "{\"key\":\(base64($0)),\"payload\":\(base64($1))}\n" }
        if let said = store.check() { lines += "{\"check\":\(quoted(said))}\n" }
        try store.close()
        return lines + "{\"end\":true}\n"
    } catch { return "{\"error\":\(quoted("\(error)"))}\n" }
}

/// Runs the command that the first argument names, `workload` or `recover`, and exits; other arguments are yours.
func drive(_ type: any Store.Type, group: Int = 1, maxValue: Int = 3000) -> Never {
    let output = dup(1)
    dup2(2, 1)  // what a library prints must not get into the dump
    switch CommandLine.arguments.dropFirst().first {
    case "workload":
        do { try workload(type, group, maxValue) } catch { fail("the store failed: \(error)", status: 1) }
    case "recover":
        let once = ProcessInfo.processInfo.environment["FAULTLINE_DIR"]  // not set for a persistent recover process
        if let once { write(recover(type, once), to: output) }
        while once == nil, let line = readLine() { write(recover(type, line), to: output) }
    default: fail("needs the argument workload or recover", status: 2)
    }
    exit(0)
}
