import Bytes

/// A pattern over the bytes of a path relative to the mount, without a slash at its beginning.
///
///     *        any run of bytes within one component, none included
///     ?        any byte but /
///     [a-z_]   one of these bytes; [!a-z] or [^a-z] any byte but these and /
///     **       any run of bytes, slashes included
///     **/      at the beginning of a component: any number of directories, none included
///     \*       the byte itself; \xNN the byte with this hexadecimal number
///
/// The mount's own directory is `.`; `*.wal` is a file at the top, `**/*.wal` one at any depth. Matching takes
/// time in proportion to pattern × path at worst, whatever the pattern.
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

    /// The pattern that matches `path` alone.
    public init(exactly path: ByteString) { elements = (path.isEmpty ? "." : path).bytes.map(Element.byte) }

    /// Whether the pattern matches all of `path`.
    public func matches(_ path: ByteString) -> Bool {
        // Every place in the pattern that the bytes read so far can have led to, moved on byte by byte.
        let end = elements.count
        var places = [Bool](repeating: false, count: end + 1)
        enter(0, &places)
        for byte in path.bytes {
            var next = [Bool](repeating: false, count: end + 1)
            for place in 0..<end where places[place] { step(place, byte, &next) }
            places = next
        }
        return places[end]
    }

    private func enter(_ place: Int, _ places: inout [Bool]) {
        var place = place
        while !places[place] {
            places[place] = true
            guard place < elements.count, elements[place].matchesNothing else { return }
            place += 1
        }
    }

    private func step(_ place: Int, _ byte: UInt8, _ next: inout [Bool]) {
        let slash = UInt8(ascii: "/")
        switch elements[place] {
        case .byte(let wanted): if byte == wanted { enter(place + 1, &next) }
        case .anyByte: if byte != slash { enter(place + 1, &next) }
        case .oneOf(let bytes): if bytes.contains(byte) { enter(place + 1, &next) }
        case .anyRun: if byte != slash { enter(place, &next) }
        case .anything: enter(place, &next)
        case .anyDirectories:
            // It ends only where a component does, so going on does not enter what follows, but a slash does.
            next[place] = true
            if byte == slash { enter(place + 1, &next) }
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
