import ArgumentParser
import Bytes

/// How bytes are written on the command line and printed.
enum StoreFormat: String, ExpressibleByArgument, CaseIterable {
    /// UTF-8 as it is; printed with `\xNN` for what is not printable ASCII, except by `get`, which prints the bytes.
    case text
    case hex
    case base64

    func bytes(of argument: String) throws -> [UInt8] {
        switch self {
        case .text:
            // What was not UTF-8 has become a replacement character by now.
            guard !argument.unicodeScalars.contains("\u{FFFD}") else {
                throw StoreUsageError(
                    description: "'\(argument)' is not UTF-8; give the bytes with --format hex or base64")
            }
            return Array(argument.utf8)
        case .hex: return try hexBytes(argument)
        case .base64:
            do throws(Base64Error) { return try Base64.decode(Array(argument.utf8)) } catch {
                throw StoreUsageError(description: "'\(argument)' is not base64: \(error)")
            }
        }
    }

    func text(of bytes: [UInt8]) -> String {
        switch self {
        case .text: ByteString(bytes).description
        case .hex:
            String(decoding: bytes.flatMap { [Self.digits[Int($0 >> 4)], Self.digits[Int($0 & 15)]] }, as: UTF8.self)
        case .base64: String(decoding: Base64.encode(bytes), as: UTF8.self)
        }
    }

    private static let digits = Array("0123456789abcdef".utf8)

    private func hexBytes(_ argument: String) throws -> [UInt8] {
        let digits = argument.map { $0.isASCII ? $0.hexDigitValue : nil }
        guard digits.count % 2 == 0 else {
            throw StoreUsageError(description: "'\(argument)' has \(digits.count) hex digits; two make a byte")
        }
        return try stride(from: 0, to: digits.count, by: 2).map { index in
            guard let high = digits[index], let low = digits[index + 1] else {
                throw StoreUsageError(
                    description: "'\(argument)' is not hex at digit \(digits[index] == nil ? index : index + 1)")
            }
            return UInt8(high << 4 | low)
        }
    }
}

/// How keys and values are given and printed.
struct StoreFormatOption: ParsableArguments {
    @Option(help: "How keys and values are written: text, hex or base64.")
    var format: StoreFormat = .text

    func key(_ argument: String) throws -> ByteString { ByteString(try format.bytes(of: argument)) }
}
