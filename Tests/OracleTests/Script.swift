import Bytes
import Oracle

/// A small language for histories and observations in tests.
///
/// A history is a list of words, one per oracle line. With intents: `+a=x` begins a put of x under a, `+a=` begins a
/// delete of a, `!2` acknowledges the operation that began second, `~2` fails it. Plain: `a=x` acknowledges a put, `a=`
/// a delete. A suffix `/5` puts the operation into batch 5. `R` is a restart; `R(a=x,b=y)` is one with that
/// observation. An observation is a list of words `a=x`.
struct Script {
    enum Step {
        case line(OracleLine)
        case resolve(Observation)
    }

    var steps: [Step] = []

    init(_ text: String) {
        var begun: [OracleOperation] = []
        var plain: UInt64 = 0
        for word in text.split(separator: " ") {
            switch word.first! {
            case "+":
                begun.append(Self.operation(word.dropFirst(), seq: UInt64(begun.count) + 1))
                steps.append(.line(.begin(begun.last!)))
            case "!": steps.append(.line(.acknowledged(begun[Int(word.dropFirst())! - 1])))
            case "~": steps.append(.line(.failed(begun[Int(word.dropFirst())! - 1])))
            case "R" where word.count > 1:
                let words = word.dropFirst(2).dropLast().split(separator: ",").joined(separator: " ")
                steps.append(.resolve(Self.observation(words)))
            case "R": steps.append(.line(.restart))
            default:
                plain += 1
                steps.append(.line(.acknowledged(Self.operation(word, seq: plain))))
            }
        }
    }

    private static func operation(_ word: Substring, seq: UInt64) -> OracleOperation {
        let halves = word.split(separator: "/")
        let txn = halves.count > 1 ? UInt64(halves[1]) : nil
        let parts = halves[0].split(separator: "=", omittingEmptySubsequences: false)
        let key = ByteString(Array(parts[0].utf8))
        return parts[1].isEmpty ? .delete(seq, key, txn: txn) : .put(seq, key, Array(parts[1].utf8), txn: txn)
    }

    static func observation(_ text: String) -> Observation {
        var contents: [ByteString: [UInt8]] = [:]
        for word in text.split(separator: " ") {
            let parts = word.split(separator: "=", omittingEmptySubsequences: false)
            contents[ByteString(Array(parts[0].utf8))] = Array(parts[1].utf8)
        }
        return Observation(contents)
    }

    /// A validator after all lines, or those up to `line`.
    func validator(
        _ memory: Validator.Memory, upTo line: Int = .max, options: Validator.Options = Validator.Options()
    ) throws -> Validator {
        var validator = Validator(memory, options: options)
        for (index, step) in steps.enumerated() where index < line {
            switch step {
            case .line(let line): try validator.apply(line, at: index + 1)
            case .resolve(let observation): validator.resolve(by: observation, at: index + 1)
            }
        }
        return validator
    }
}
