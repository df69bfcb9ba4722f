import Bytes
import Oracle

/// A deterministic random number generator (splitmix64).
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ bits >> 30) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
        return bits ^ bits >> 31
    }

    mutating func chance(_ numerator: Int, in denominator: Int) -> Bool {
        next() % UInt64(denominator) < UInt64(numerator)
    }
}

/// Generates tiny random histories, as lines for the validator and as steps for the naive validator.
struct HistoryGenerator {
    enum Shape: CaseIterable {
        /// Answers in any order, failures, restarts.
        case concurrent
        /// Answers in begin order.
        case pipelined
        /// Like `concurrent`, in batches that are acknowledged, failed or left open as a whole.
        case batches
        /// Only acknowledgements and restarts.
        case plain
    }

    static let keys = ["a", "b"]

    var lines: [OracleLine] = []
    /// `naive[n]` is the history after n lines.
    var naive = [NaiveValidator()]
    /// The observations at observed restarts, by line.
    var observations: [Int: NaiveValidator.State] = [:]
    private var random: Seeded
    private let shape: Shape
    private var begun: [OracleOperation] = []
    private var unanswered: [Int] = []
    /// For each batch, the kind of its answer.
    private var fates: [UInt64: Bool] = [:]

    init(seed: UInt64, shape: Shape, operations: Int) {
        random = Seeded(seed)
        self.shape = shape
        while begun.count < operations || !unanswered.isEmpty {
            if shape == .plain {
                if random.chance(1, in: 4) { restart() } else { acknowledgePlainly() }
            } else if begun.count < operations && (unanswered.isEmpty || random.chance(1, in: 2)) {
                begin()
            } else if random.chance(1, in: 12) {
                restart()
            } else if random.chance(1, in: 6) {
                // Never answered.
                let operation = unanswered.remove(at: Int(random.next() % UInt64(unanswered.count)))
                if shape == .batches { unanswered.removeAll { begun[$0].txn == begun[operation].txn } }
            } else {
                answer()
            }
        }
    }

    private mutating func begin() {
        let key = Self.keys.randomElement(using: &random)!
        let payload: String? = random.chance(1, in: 4) ? nil : ["x", "y", "z"].randomElement(using: &random)!
        var txn: UInt64?
        if shape == .batches && random.chance(3, in: 4) {
            // Join an unanswered batch, or begin one.
            let open = Set(unanswered.compactMap { begun[$0].txn }).filter { fates[$0] == nil }.sorted()
            txn = random.chance(2, in: 3) ? open.randomElement(using: &random) : nil
            if txn == nil { txn = UInt64(begun.count) + 100 }
        }
        let seq = UInt64(begun.count) + 1
        let keyBytes = ByteString(Array(key.utf8))
        let operation =
            payload.map { .put(seq, keyBytes, Array($0.utf8), txn: txn) }
            ?? OracleOperation.delete(seq, keyBytes, txn: txn)
        unanswered.append(begun.count)
        begun.append(operation)
        append(.begin(operation)) { naive, line in
            naive.operations.append(
                NaiveValidator.Operation(key: key, payload: payload, batch: Int(txn ?? 0), begin: line))
        }
    }

    private mutating func answer() {
        let place = shape == .pipelined ? 0 : Int(random.next() % UInt64(unanswered.count))
        let index = unanswered.remove(at: place)
        var fails = random.chance(1, in: 8)
        if let txn = begun[index].txn {
            fails = fates[txn] ?? fails
            fates[txn] = fails
        }
        let begunInAll = begun.count
        append(fails ? .failed(begun[index]) : .acknowledged(begun[index])) { naive, line in
            // The first answer answers the whole batch, except operations before an observed restart.
            let own = index - (begunInAll - naive.operations.count)
            let batch = naive.operations[own].batch
            for other in naive.operations.indices
            where (other == own || (batch != 0 && naive.operations[other].batch == batch))
                && naive.operations[other].answered == .max
            {
                naive.operations[other].answered = line
                naive.operations[other].isCertain = !fails
            }
        }
    }

    private mutating func acknowledgePlainly() {
        let key = Self.keys.randomElement(using: &random)!
        let payload: String? = random.chance(1, in: 4) ? nil : ["x", "y", "z"].randomElement(using: &random)!
        let seq = UInt64(begun.count) + 1
        let keyBytes = ByteString(Array(key.utf8))
        begun.append(
            payload.map { .put(seq, keyBytes, Array($0.utf8)) } ?? OracleOperation.delete(seq, keyBytes))
        append(.acknowledged(begun.last!)) { naive, line in
            naive.operations.append(
                NaiveValidator.Operation(
                    key: key, payload: payload, batch: 0, begin: line, answered: line, isCertain: true))
        }
    }

    private mutating func restart() {
        unanswered = []
        let seen = random.chance(1, in: 3) ? Self.universe.randomElement(using: &random)! : nil
        if let seen { observations[lines.count + 1] = seen }
        append(.restart) { naive, line in
            if let seen { naive.resolve(as: seen, at: line) } else { naive.restart(at: line) }
        }
    }

    /// Applies line `number`, counted from 1, to a validator.
    func apply(_ number: Int, to validator: inout Validator) throws {
        if let state = observations[number] {
            validator.resolve(by: Observation(state), at: number)
        } else {
            try validator.apply(lines[number - 1], at: number)
        }
    }

    private mutating func append(_ line: OracleLine, _ change: (inout NaiveValidator, Int) -> Void) {
        lines.append(line)
        var next = naive.last!
        change(&next, lines.count)
        naive.append(next)
    }

    /// Every state over the keys and payloads of a history, plus one foreign payload.
    static let universe: [NaiveValidator.State] = {
        var states: [NaiveValidator.State] = [[:]]
        for key in keys {
            states = states.flatMap { state in
                [nil, "x", "y", "z", "q"].map { payload in
                    var state = state
                    state[key] = payload
                    return state
                }
            }
        }
        return states
    }()
}

extension Observation {
    init(_ state: NaiveValidator.State) {
        self.init(
            Dictionary(uniqueKeysWithValues: state.map { (ByteString(Array($0.key.utf8)), Array($0.value.utf8)) }))
    }
}
