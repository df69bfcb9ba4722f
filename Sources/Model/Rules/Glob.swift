import Bytes

/// A pattern for a path relative to the mount, without a leading slash. It matches bytes.
///
///     *        any run of bytes within one component, also an empty one
///     ?        any byte but /
///     [a-z_]   one of these bytes; [!a-z] or [^a-z] any byte but these and /
///     **       any run of bytes, including slashes
///     **/      at the beginning of a component: any number of directories, also zero
///     \*       the byte itself; \xNN the byte with this hexadecimal number
///
/// The root of the mount is `.`; `*.wal` matches files at the top, `**/*.wal` at any depth. Matching takes at most time in
/// proportion to pattern × path.
public struct Glob: Hashable, Sendable {
    enum Element: Hashable, Sendable {
        case byte(UInt8)
        case anyByte
        case oneOf(ByteClass)
        /// `*`
        case anyRun
        /// `**`
        case anything
        /// `**/`
        case anyDirectories
    }

    struct ByteClass: Hashable, Sendable {
        var isNegated: Bool
        var ranges: [ClosedRange<UInt8>]

        func contains(_ byte: UInt8) -> Bool {
            byte != UInt8(ascii: "/") && ranges.contains { $0.contains(byte) } != isNegated
        }
    }

    let elements: [Element]

    init(_ elements: [Element]) { self.elements = elements }

    /// The pattern that matches only `path`.
    public init(exactly path: ByteString) { elements = (path.isEmpty ? "." : path).bytes.map(Element.byte) }

    /// Whether the pattern matches all of `path`.
    public func matches(_ path: ByteString) -> Bool {
        // All positions in the pattern that the bytes read so far can reach, advanced byte by byte.
        let end = elements.count
        var positions = [Bool](repeating: false, count: end + 1)
        enter(0, &positions)
        for byte in path.bytes {
            var next = [Bool](repeating: false, count: end + 1)
            for position in 0..<end where positions[position] { step(position, byte, &next) }
            positions = next
        }
        return positions[end]
    }

    private func enter(_ position: Int, _ positions: inout [Bool]) {
        var position = position
        while !positions[position] {
            positions[position] = true
            guard position < elements.count, elements[position].matchesNothing else { return }
            position += 1
        }
    }

    private func step(_ position: Int, _ byte: UInt8, _ next: inout [Bool]) {
        let slash = UInt8(ascii: "/")
        switch elements[position] {
        case .byte(let wanted): if byte == wanted { enter(position + 1, &next) }
        case .anyByte: if byte != slash { enter(position + 1, &next) }
        case .oneOf(let bytes): if bytes.contains(byte) { enter(position + 1, &next) }
        case .anyRun: if byte != slash { enter(position, &next) }
        case .anything: enter(position, &next)
        case .anyDirectories:
            // It ends only at the end of a component: a slash enters the next element, other bytes do not.
            next[position] = true
            if byte == slash { enter(position + 1, &next) }
        }
    }
}

extension Glob.Element {
    /// Whether the element matches an empty run.
    fileprivate var matchesNothing: Bool {
        switch self {
        case .anyRun, .anything, .anyDirectories: true
        case .byte, .anyByte, .oneOf: false
        }
    }
}
