import Bytes
import Engine
import Events
import Model
import Oracle
import Storage
import Targets

/// A reader of untrusted bytes. It may refuse them. It must not trap, hang, or allocate memory only because the bytes
/// claim a size. Where a printer exists, a value that was read must print and parse to an equal value.
enum FuzzTarget: String, CaseIterable {
    case recovery, decoder, events, trace, oracle, dump, rule, manifest

    func run(_ bytes: [UInt8]) {
        switch self {
        case .recovery: recover(bytes)
        case .decoder: decode(bytes)
        case .events: readEvents(bytes)
        case .trace: readTrace(bytes)
        case .oracle: readOracle(bytes)
        case .dump: readDump(bytes)
        case .rule: readRules(bytes)
        case .manifest: _ = try? Manifest.target(bytes, file: "fuzz.yaml")
        }
    }

    private static let options = KeyValueOptions(
        log: LogOptions(segmentSizeBytes: 4 << 10, zeroAheadBytes: 512, bufferSizeBytes: 4 << 10))

    /// Up to three segments; the first bytes give their sizes. An opened log accepts writes and reopens with the same records.
    private func recover(_ bytes: [UInt8]) {
        guard bytes.count > 3 else { return }
        let cuts = [0, Int(bytes[0]) * 16, Int(bytes[0]) * 16 + Int(bytes[1]) * 16, .max]
        let body = bytes[3...]
        var contents: [ByteString: [UInt8]] = [:]
        for index in 0..<3 {
            let part = body.dropFirst(cuts[index]).prefix(
                cuts[index + 1] == .max ? .max : cuts[index + 1] - cuts[index])
            if index == 0 || !part.isEmpty { contents["000\(0)-000000000\(index + 1).log".asBytes] = Array(part) }
        }
        var options = Self.options
        options.log.damagePolicy = bytes[2] & 1 == 0 ? .refuse : .skipDamaged
        guard let storage = try? MemoryStorage(contents: contents) else { return }
        _ = try? LogCheck(storage: storage)
        guard let store = try? KeyValueStore.open(storage: storage, options: options) else { return }
        guard let before = try? store.items() else { return }
        guard (try? store.put("fuzz", [1])) != nil, (try? store.close()) != nil else {
            fatalError("the opened store does not accept a write")
        }
        guard let again = try? KeyValueStore.open(storage: storage, options: options), let after = try? again.items()
        else { fatalError("the store does not reopen") }
        let expected = before.filter { $0.key != "fuzz" }.map { "\($0)" }
        guard after.filter({ $0.key != "fuzz" }).map({ "\($0)" }) == expected else {
            fatalError("the reopened store has other items")
        }
    }

    /// One segment with checksum verification disabled, so that the fuzzer reaches the code after it.
    private func decode(_ bytes: [UInt8]) {
        guard let storage = try? MemoryStorage(contents: ["0000-0000000001.log": bytes]) else { return }
        guard
            let store = try? KeyValueStore.open(storage: storage, options: Self.options, planting: .checksumUnchecked)
        else { return }
        _ = try? store.items()
    }

    private func readEvents(_ bytes: [UInt8]) {
        guard let storage = try? MemoryStorage(contents: ["0000-0000000001.log": bytes]) else { return }
        let options = EventOptions(log: Self.options.log, batchDelayMilliseconds: 0)
        guard let store = try? EventStore.open(storage: storage, options: options, planting: .checksumUnchecked) else {
            return
        }
        _ = try? store.replay { _ in }
        _ = try? store.append(Event(entity: "fuzz", type: "", timestamp: 0))
        _ = try? store.takeCheckpoint()
        _ = try? store.truncateBeforeCheckpoint()
    }

    /// The bytes as they are, and then as a sequence of records with correct frames: kind (1), length (2), body.
    private func readTrace(_ bytes: [UInt8]) {
        decodeTrace(bytes)
        var trace = TraceFormat.magic
        trace.appendLittleEndian(TraceFormat.version)
        trace.appendLittleEndian(CRC32C.checksum(trace))
        var rest = bytes[...]
        while rest.count >= 3 {
            let (kind, low, high) = (rest.removeFirst(), rest.removeFirst(), rest.removeFirst())
            let body = Array(rest.prefix(Int(low) | Int(high) << 8))
            rest = rest.dropFirst(body.count)
            var frame: [UInt8] = []
            frame.appendLittleEndian(UInt64(kind) | UInt64(body.count) << 8)
            var place: [UInt8] = []
            place.appendLittleEndian(UInt64(trace.count))
            frame.appendLittleEndian(CRC32C.checksum(frame, extending: CRC32C.checksum(place)))
            frame.appendLittleEndian(CRC32C.checksum(body, extending: CRC32C.checksum(frame)))
            trace += frame + body
        }
        decodeTrace(trace)
    }

    private func decodeTrace(_ bytes: [UInt8]) {
        var decoder = TraceDecoder()
        bytes.withUnsafeBytes { all in
            while true {
                let window = UnsafeRawBufferPointer(
                    rebasing: all[min(Int(clamping: decoder.offsetBytes), all.count)...])
                guard case .record? = try? decoder.next(in: window) else { return }
            }
        }
    }

    private func readOracle(_ bytes: [UInt8]) {
        // In two chunks. The first byte gives the size of the first chunk.
        let cut = min(bytes.count, Int(bytes.first ?? 0))
        var reader = OracleReader(maximumLineSizeBytes: 1 << 16)
        do throws(OracleError) {
            let (first, second) = (Array(bytes[..<cut]), Array(bytes[cut...]))
            try reader.read(first.span) { (_, _) throws(OracleError) in }
            try reader.read(second.span) { (_, _) throws(OracleError) in }
            try reader.finish { (_, _) throws(OracleError) in }
        } catch {
            _ = "\(error)"
        }
    }

    private func readDump(_ bytes: [UInt8]) {
        var reader = DumpReader(maximumLineSizeBytes: 1 << 16)
        _ = reader.read(bytes.span)
    }

    private func readRules(_ bytes: [UInt8]) {
        guard let rules = try? Rule.list(parsing: ByteString(bytes)) else { return }
        for rule in rules {
            guard let again = try? Rule(parsing: rule.description), again == rule else {
                fatalError("the printed rule does not parse to the same rule: \(rule)")
            }
        }
    }
}

extension String {
    fileprivate var asBytes: ByteString { ByteString(self) }
}
