import Bytes
import Model

/// Any rule that can be written down, by chance.
struct RandomRules {
    private static let errors = (Int32(1)...133).compactMap { ErrorNumber(rawValue: $0) }
    private var random: RandomStream

    init(seed: UInt64) { random = RandomStream(seed: seed).stream("rules") }

    private mutating func flip() -> Bool { random.chance(1, in: 2) }
    private mutating func pick<Value>(_ values: some Collection<Value>) -> Value {
        values.randomElement(using: &random)!
    }

    private mutating func number() -> UInt64 {
        pick([0, 1, 7, 512, 1000, 1 << 12, 1 << 20, 3 << 30, 1 << 45, .max, random.next()])
    }

    private mutating func range() -> ClosedRange<UInt64> {
        let (one, other) = (number(), number())
        return min(one, other)...(flip() ? .max : max(one, other))
    }

    private mutating func atLeastOne() -> AtLeastOne { AtLeastOne(max(1, number()))! }

    mutating func rule() -> Rule {
        let action: Rule.Action
        if random.chance(1, in: 8) {
            action = .quota(bytes: number(), pick(Rule.QuotaError.allCases))
        } else {
            action = .inject(injection(), selection())
        }
        return Rule(
            action, path: flip() ? glob() : nil, process: flip() ? process() : nil, between: flip() ? range() : nil,
            afterSyncs: flip() ? atLeastOne() : nil)
    }

    private mutating func glob() -> Glob {
        if flip() {
            let count = 1 + random.next(upperBound: UInt64(5))
            return Glob(exactly: ByteString((0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }))
        }
        let pieces = ["a", "**/", "*", "?", "[a-z]", "[!\\]\\-]", "\\*", "\\x00", "/", "#", "=", "->", "\\ ", "7"]
        while true {
            let text = (0...random.next(upperBound: UInt64(5))).map { _ in pick(pieces) }.joined()
            if let glob = try? Glob(parsing: ByteString(text)) { return glob }
        }
    }

    private mutating func process() -> ProcessCondition {
        flip() ? .id(Int32(random.next(upperBound: UInt32(1) << 22))) : .name(flip() ? glob() : Glob(exactly: "123"))
    }

    private mutating func selection() -> Selection {
        switch random.next(upperBound: UInt64(4)) {
        case 0: return .all
        case 1: return .nth(atLeastOne())
        case 2: return .every(atLeastOne())
        default:
            let (one, other) = (max(1, number()), max(1, number()))
            return .chance(Ratio(min(one, other), in: max(one, other))!)
        }
    }

    private mutating func generic() -> Injection.GenericFault {
        switch random.next(upperBound: UInt64(3)) {
        case 0: .fail(error())
        case 1: .delay(delay())
        default: .crash(flip() ? .before : .after)
        }
    }

    private mutating func error() -> ErrorNumber {
        pick(RandomRules.errors)
    }

    private mutating func delay() -> Delay {
        switch random.next(upperBound: UInt64(3)) {
        case 0: .constant(nanoseconds: duration())
        case 1: .uniform(nanoseconds: range().clamped(to: 0...Delay.longestNanoseconds))
        default: .exponential(meanNanoseconds: duration())
        }
    }

    private mutating func duration() -> UInt64 { min(number(), Delay.longestNanoseconds) }

    private mutating func data() -> DataConditions {
        DataConditions(
            offsetsBytes: flip() ? range() : nil, sizesBytes: flip() ? range() : nil,
            afterBytes: flip() ? number() : nil)
    }

    private mutating func injection() -> Injection {
        switch random.next(upperBound: UInt64(6)) {
        case 0:
            let all: [Injection.ReadFault] = [
                .generic(generic()), .short(countBytes: number()), .bitflip(.inFlight), .bitflip(.atRest),
                .misdirect, .stale,
            ]
            return .read(pick(all), data())
        case 1:
            let all: [Injection.WriteFault] = [
                .generic(generic()), .short(countBytes: number()), .tear(.sector), .tear(.page), .drop, .reorder,
                .misdirect,
            ]
            return .write(pick(all), data())
        case 2:
            let all: [Injection.SyncFault] = [.generic(generic()), .lose(error(), pick(FsyncLoss.allCases)), .lie]
            return .sync(flip() ? .fsync : .fdatasync, pick(all))
        case 3: return .directorySync(flip() ? .lie : .generic(generic()))
        case 4: return .other(pick(Injection.OtherKind.allCases), generic())
        default: return .any(generic())
        }
    }
}
