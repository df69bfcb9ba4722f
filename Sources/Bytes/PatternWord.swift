/// Classifies a word (a run of letters and digits) of a name or message.
enum PatternWord {
    enum Shape {
        /// An ordinary word; numbers in it are replaced by `#`.
        case plain
        case random
        /// `tmp` and a random tail.
        case temporary
        /// A hexadecimal number: `0x7f3a`, or the `x8a` of `\x8a`.
        case hexadecimalNumber

        func shown(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
            switch self {
            case .random: [UInt8(ascii: "*")]
            case .temporary: bytes.prefix(3) + [UInt8(ascii: "*")]
            case .hexadecimalNumber where bytes.first == UInt8(ascii: "x"):
                [UInt8(ascii: "x"), UInt8(ascii: "#")] + bytes.dropFirst(3)
            case .hexadecimalNumber: [UInt8(ascii: "#")]
            case .plain: PatternWord.withoutNumbers(bytes)
            }
        }
    }

    /// - Parameter isEscape: whether a backslash precedes it.
    static func shape(_ word: ArraySlice<UInt8>, isEscape: Bool) -> Shape {
        let x = UInt8(ascii: "x")
        if isEscape, word.first == x, word.dropFirst().prefix(2).count(where: \.isHexadecimalDigit) == 2 {
            return .hexadecimalNumber
        }
        if word.count > 2, word.starts(with: [UInt8(ascii: "0"), x]), word.dropFirst(2).allSatisfy(\.isHexadecimalDigit)
        {
            return .hexadecimalNumber
        }
        return isRandom(word) ? .random : .plain
    }

    private static func withoutNumbers(_ word: ArraySlice<UInt8>) -> [UInt8] {
        var shown: [UInt8] = []
        for byte in word {
            let shownByte = byte.isDecimalDigit ? UInt8(ascii: "#") : byte
            if !byte.isDecimalDigit || shown.last != shownByte { shown.append(shownByte) }
        }
        return shown
    }

    /// Whether a word after `tmp` is random, by weaker rules than elsewhere: `8f3k2j` is, `file1` is not.
    static func isRandomTail(_ tail: ArraySlice<UInt8>) -> Bool {
        guard (4...64).contains(tail.count), tail.allSatisfy(\.isASCIIWordByte) else { return false }
        if tail.contains(where: \.isDecimalDigit) { return groups(of: tail).count >= 3 }
        return tail.count >= 6 && hasMixedCase(tail) && isCamel(tail, perGroupAtMost: 2)
    }

    /// Whether it is neither a word, a number, nor a word with a number: `81Bj`, `nA`.
    static func isOdd(_ word: ArraySlice<UInt8>) -> Bool {
        guard word.count >= 2, word.allSatisfy(\.isASCIIWordByte) else { return false }
        let groups = groups(of: word)
        guard groups.count == 2 else { return groups.count > 2 && word.count <= 2 * groups.count }
        return groups[0].first!.isDecimalDigit || groups[1].first!.isUppercase && word.count <= 4
    }

    private static func isRandom(_ word: ArraySlice<UInt8>) -> Bool {
        guard word.count >= 6, word.allSatisfy(\.isASCIIWordByte) else { return false }
        if word.allSatisfy(\.isHexadecimalDigit), !hasMixedCase(word) { return isHash(word) }
        return isRandomText(word)
    }

    /// Whether it is a hexadecimal hash. `db000012` is a name with a number, `2024ad` a number with a name.
    private static func isHash(_ word: ArraySlice<UInt8>) -> Bool {
        let groups = groups(of: word)
        guard word.contains(where: \.isDecimalDigit) else { return word.count >= 16 }
        guard groups.count > 1 else { return false }
        guard groups.count == 2 else { return true }
        return word.count >= (word.first!.isDecimalDigit ? 8 : 16)
    }

    /// Whether upper case, lower case and digits alternate too often for words and numbers.
    private static func isRandomText(_ word: ArraySlice<UInt8>) -> Bool {
        let groups = groups(of: word)
        let lettersCount = word.count { !$0.isDecimalDigit }
        guard lettersCount < word.count else { return hasMixedCase(word) && isCamel(word, perGroupAtMost: 2) }
        guard lettersCount > 0 else { return false }
        // `row1col2`, `utf8mb4`: words with numbers.
        let areNumberedWords =
            !word.first!.isDecimalDigit && word.last!.isDecimalDigit && !hasMixedCase(word)
            && groups.allSatisfy { $0.first!.isDecimalDigit || $0.count > 1 }
        if groups.count >= (word.count < 8 ? 5 : 4), word.count <= 2 * groups.count, !areNumberedWords { return true }
        if word.count >= 10, groups.count >= 5, 2 * word.count <= 5 * groups.count { return true }
        guard word.count >= 16 else { return false }
        if groups.count >= 4, word.count <= 4 * groups.count, !areNumberedWords { return true }
        let vowelCount = word.count { "aeiouyAEIOUY".utf8.contains($0) }
        return lettersCount >= 12 && 5 * vowelCount < lettersCount
    }

    private static func hasMixedCase(_ word: ArraySlice<UInt8>) -> Bool {
        word.contains(where: \.isLowercase) && word.contains(where: \.isUppercase)
    }

    private static func isCamel(_ word: ArraySlice<UInt8>, perGroupAtMost most: Int) -> Bool {
        let groups = groups(of: word)
        return groups.count >= 3 && word.count <= most * groups.count
    }

    /// Splits into runs of digits, of capitals, and of lower-case letters with a preceding capital.
    private static func groups(of word: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        var groups: [ArraySlice<UInt8>] = []
        var begin = word.startIndex
        for index in word.indices.dropFirst() {
            let (last, next) = (word[index - 1], word[index])
            let goesOn =
                last.isDecimalDigit == next.isDecimalDigit && last.isUppercase == next.isUppercase
                || last.isUppercase && next.isLowercase && index - begin == 1
            if goesOn { continue }
            // The last of several capitals starts the next word: `LevelDBFile`.
            let split = last.isUppercase && next.isLowercase ? index - 1 : index
            groups.append(word[begin..<split])
            begin = split
        }
        return groups + [word[begin...]]
    }
}

extension UInt8 {
    fileprivate var isASCIIWordByte: Bool { isDecimalDigit || isLowercase || isUppercase }
    /// Letters and digits; a byte beyond ASCII is part of a letter.
    var isWordByte: Bool { isASCIIWordByte || self >= 0x80 }

    package var isDecimalDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    var isLowercase: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) }
    var isUppercase: Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) }
    package var isHexadecimalDigit: Bool {
        isDecimalDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self | 0x20)
    }
}

extension ArraySlice<UInt8> {
    /// Whether it starts with `tmp`, case-insensitively.
    var isTemporary: Bool { count >= 3 && zip(self, "tmp".utf8).allSatisfy { $0 | 0x20 == $1 } }

    /// Whether it is short enough for a directory that random names are distributed over.
    package var isShortHexadecimal: Bool { (1...4).contains(count) && allSatisfy(\.isHexadecimalDigit) }
}
