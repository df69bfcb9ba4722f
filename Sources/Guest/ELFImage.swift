/// What the guest needs to know of a 64-bit little-endian ELF file (elf(5)). Bad input gives nil, and never traps.
struct ELFImage {
    private let bytes: [UInt8]

    private static let magic: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1]
    private static let headerBytes = 64

    /// Nil for anything else.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= Self.headerBytes, bytes.starts(with: Self.magic) else { return nil }
        self.bytes = bytes
    }

    /// Whether it needs no program interpreter, and so no libraries.
    var isStatic: Bool {
        guard let table = number(0x20, 8), let size = number(0x36, 2), let count = number(0x38, 2) else { return false }
        let interpreter = 3
        return !(0..<count).contains { number(table + $0 * size, 4) == interpreter }
    }

    /// The bytes of the section with this name; nil if there is none.
    func section(_ name: String) -> ArraySlice<UInt8>? {
        guard let table = number(0x28, 8), let size = number(0x3A, 2), let count = number(0x3C, 2),
            let namesIndex = number(0x3E, 2), let names = content(of: table + namesIndex * size)
        else { return nil }
        for index in 0..<count {
            let header = table + index * size
            guard let place = number(header, 4), place < names.count else { continue }
            let found = names.dropFirst(place).prefix { $0 != 0 }
            if found.elementsEqual(name.utf8) { return content(of: header) }
        }
        return nil
    }

    private func content(of sectionHeader: Int) -> ArraySlice<UInt8>? {
        guard let offset = number(sectionHeader + 24, 8), let size = number(sectionHeader + 32, 8),
            offset <= bytes.count, size <= bytes.count - offset
        else { return nil }
        return bytes[offset..<offset + size]
    }

    /// The unsigned number of `count` bytes at `offset`; nil outside of the file, and above the range of offsets.
    private func number(_ offset: Int, _ count: Int) -> Int? {
        guard offset >= 0, offset <= bytes.count - count else { return nil }
        var value: UInt64 = 0
        for index in (0..<count).reversed() { value = value << 8 | UInt64(bytes[offset + index]) }
        return value < UInt64(1) << 40 ? Int(value) : nil
    }
}
