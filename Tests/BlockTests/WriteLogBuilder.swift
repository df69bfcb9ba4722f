import Bytes

/// Writes a log as drivers/md/dm-log-writes.c does.
struct WriteLogBuilder {
    var sectorBytes = 512
    private var entries: [[UInt8]] = []

    init(sectorBytes: Int = 512) { self.sectorBytes = sectorBytes }

    private static func little(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
    }

    private func padded(_ bytes: [UInt8]) -> [UInt8] {
        bytes + [UInt8](repeating: 0, count: (sectorBytes - bytes.count % sectorBytes) % sectorBytes)
    }

    mutating func add(sector: UInt64, count: UInt64, flags: UInt64, length: UInt64 = 0, then rest: [UInt8] = []) {
        let head = [sector, count, flags, length].flatMap { Self.little($0, 8) }
        entries.append(padded(head + (flags & 8 != 0 ? rest : [])) + (flags & 8 != 0 ? [] : rest))
    }

    /// Sectors that are full of a character each.
    mutating func write(_ text: String, at sector: UInt64, flags: UInt64 = 0) {
        let data = text.utf8.flatMap { [UInt8](repeating: $0, count: sectorBytes) }
        add(sector: sector, count: UInt64(text.utf8.count), flags: flags, then: data)
    }

    mutating func flush() { add(sector: 0, count: 0, flags: 1) }
    mutating func discard(_ count: UInt64, at sector: UInt64) { add(sector: sector, count: count, flags: 4) }
    mutating func mark(_ text: String) {
        add(sector: 0, count: 0, flags: 8, length: UInt64(text.utf8.count), then: Array(text.utf8))
    }

    /// The log.
    ///
    /// - Parameter count: how many entries the header tells of; nil for as many as there are.
    func bytes(count: Int? = nil, magic: UInt64 = 0x6A_7366_7773_6872, version: UInt64 = 1) -> [UInt8] {
        let header =
            Self.little(magic, 8) + Self.little(version, 8) + Self.little(UInt64(count ?? entries.count), 8)
            + Self.little(UInt64(sectorBytes), 4)
        return padded(header) + entries.joined()
    }

    /// Where an entry begins, counted from 1.
    func offset(ofEntry number: Int) -> Int { sectorBytes + entries[..<(number - 1)].reduce(0) { $0 + $1.count } }
}
