import Oracle

/// A deliberately naive validator for tiny histories: it enumerates every state that a crash may leave, by trying every
/// set of operations in every order that time allows. It shares no code with the real one.
struct NaiveValidator {
    struct Operation {
        var key: String
        var payload: String?
        var batch: Int
        var begin: Int
        var answered = Int.max
        var isCertain = false
    }

    typealias State = [String: String]

    var operations: [Operation] = []
    /// The lines of unobserved restarts.
    private var restarts: [Int] = []
    /// The observation at the last observed restart, and all values before it.
    private var beginning: State = [:]
    private var held: [String: Set<String>] = [:]

    /// An unobserved restart: operations in flight have ended.
    mutating func restart(at line: Int) {
        restarts.append(line)
        for index in operations.indices where operations[index].answered == .max { operations[index].answered = line }
    }

    /// A restart with the observation `state`, from which the history starts again.
    mutating func resolve(as state: State, at line: Int) {
        held = everHeld.merging(state.mapValues { [$0] }) { $0.union($1) }
        (operations, restarts, beginning) = ([], [], state)
    }

    private var everHeld: [String: Set<String>] {
        operations.reduce(into: held) { held, operation in
            if let payload = operation.payload { held[operation.key, default: []].insert(payload) }
        }
    }

    /// Whether each key is absent or has a value of its history.
    func isOfThePast(_ state: State) -> Bool {
        let held = everHeld
        return state.allSatisfy { held[$0.key]?.contains($0.value) == true }
    }

    /// A plain history: at the end of each life one unrecorded operation may have happened.
    func plainStates(among universe: [State]) -> Set<State> {
        func oneMore(_ states: Set<State>) -> Set<State> {
            Set(universe.filter { state in states.contains { isOneStep(from: $0, to: state) } })
        }
        var states: Set<State> = [beginning]
        let ends = restarts + [.max]
        var done = 0
        for end in ends {
            for operation in operations.dropFirst(done) where operation.begin < end {
                states = Set(states.map { $0.merging([operation.key: operation.payload]) })
                done += 1
            }
            states = oneMore(states)
        }
        return states
    }

    private func isOneStep(from first: State, to second: State) -> Bool {
        Set(first.keys).union(second.keys).count { first[$0] != second[$0] } <= 1
    }

    /// One writer: begin order is the order of effect, and the operations in flight after the last acknowledgement are
    /// a pipeline.
    var singleWriterStates: Set<State> {
        let lastCertain = operations.last { $0.isCertain }?.begin ?? 0
        let pipeline = operations.indices.filter {
            operations[$0].answered == .max && operations[$0].begin > lastCertain
        }
        let free = operations.indices.filter { !operations[$0].isCertain && !pipeline.contains($0) }
        let certain = operations.indices.filter { operations[$0].isCertain }
        var states: Set<State> = []
        for subset in Self.subsets(of: free) {
            for cut in 0...pipeline.count {
                states.insert(apply((certain + subset + pipeline.prefix(cut)).sorted()))
            }
        }
        return states
    }

    /// Any writers: each set of operations in each order that time allows; with `atomic`, batches completely or not at
    /// all.
    func states(atomic: Bool) -> Set<State> {
        let open = operations.indices.filter { !operations[$0].isCertain }
        let certain = operations.indices.filter { operations[$0].isCertain }
        var states: Set<State> = []
        for subset in Self.subsets(of: open) {
            let happened = certain + subset
            if atomic && happened.contains(where: { isSplit(operations[$0].batch, happened) }) { continue }
            forEachOrder(of: happened) { states.insert(apply($0)) }
        }
        return states
    }

    private func isSplit(_ batch: Int, _ happened: [Int]) -> Bool {
        batch != 0 && operations.indices.contains { operations[$0].batch == batch && !happened.contains($0) }
    }

    private func apply(_ order: [Int]) -> State {
        var state = beginning
        for index in order { state[operations[index].key] = operations[index].payload }
        return state
    }

    private func forEachOrder(of left: [Int], after done: [Int] = [], _ body: ([Int]) -> Void) {
        if left.isEmpty { return body(done) }
        for next in left where !left.contains(where: { $0 != next && precedes($0, next) }) {
            forEachOrder(of: left.filter { $0 != next }, after: done + [next], body)
        }
    }

    private func precedes(_ first: Int, _ second: Int) -> Bool {
        let (first, second) = (operations[first], operations[second])
        if first.answered < second.begin { return true }
        return first.batch != 0 && first.batch == second.batch && first.key == second.key && first.begin < second.begin
    }

    private static func subsets(of items: [Int]) -> [[Int]] {
        (0..<(1 << items.count)).map { bits in items.enumerated().filter { bits >> $0.offset & 1 == 1 }.map(\.element) }
    }
}

extension [String: String] {
    /// A copy with these changes; nil removes a key.
    fileprivate func merging(_ changes: [String: String?]) -> [String: String] {
        var merged = self
        for (key, value) in changes { merged[key] = value }
        return merged
    }
}
