/// Counts the order ideals of a graph of choices: the states of a level.
///
/// Independent parts multiply. A part in which every choice depends on at most one other is a tree, whose ideals are counted
/// from its leaves. Any other part is split by a choice: the ideals without it, and those with it.
struct IdealCount {
    private let dependencies: [[Int]]
    private let dependants: [[Int]]
    private var stepsLeft: Int

    /// The number of ideals; nil if counting them takes too many steps.
    static func count(_ graph: ChoiceGraph, stepsAtMost: Int = 20_000) -> StateCount? {
        var counting = IdealCount(graph, stepsAtMost)
        return counting.count(Set(0..<graph.count))
    }

    private init(_ graph: ChoiceGraph, _ stepsAtMost: Int) {
        var reduced: [[Int]] = []
        // What each choice needs, directly or not. Not for long graphs, where the sets would take much memory.
        var needed: [[UInt64]] = []
        let reduces = graph.count <= 4096
        for choice in 0..<graph.count {
            let list = graph.dependencies[choice].map { Int($0) }
            guard reduces else {
                reduced.append(list)
                continue
            }
            var all = [UInt64](bitsBelow: graph.count)
            var direct: [Int] = []
            for dependency in list.reversed() where !all.holds(dependency) {
                direct.append(dependency)
                all.insert(dependency)
                for word in all.indices { all[word] |= needed[dependency][word] }
            }
            needed.append(all)
            reduced.append(direct)
        }
        dependencies = reduced
        var lists = [[Int]](repeating: [], count: graph.count)
        for (choice, list) in reduced.enumerated() { for dependency in list { lists[dependency].append(choice) } }
        dependants = lists
        stepsLeft = stepsAtMost
    }

    private mutating func count(_ choices: Set<Int>) -> StateCount? {
        var product = StateCount(1)
        var rest = choices
        while let first = rest.min() {
            let part = connected(to: first, in: choices)
            rest.subtract(part)
            guard let count = countPart(part) else { return nil }
            product = product * count
        }
        return product
    }

    private mutating func countPart(_ part: Set<Int>) -> StateCount? {
        stepsLeft -= 1
        guard stepsLeft >= 0 else { return nil }
        let order = part.sorted()
        if order.allSatisfy({ choice in dependencies[choice].count(where: part.contains) <= 1 }) {
            // Below each choice: one ideal without it, and those with it.
            var counts: [Int: StateCount] = [:]
            var product = StateCount(1)
            for choice in order.reversed() {
                var with = StateCount(1)
                for dependant in dependants[choice] where part.contains(dependant) { with = with * counts[dependant]! }
                let count = with + StateCount(1)
                counts[choice] = count
                if !dependencies[choice].contains(where: part.contains) { product = product * count }
            }
            return product
        }
        let degrees = order.map { dependencies[$0].count + dependants[$0].count }
        let chosen = order[degrees.indices.max { degrees[$0] < degrees[$1] }!]
        guard let without = count(part.subtracting(reached(from: chosen, by: dependants, in: part))),
            let with = count(part.subtracting(reached(from: chosen, by: dependencies, in: part)))
        else { return nil }
        return without + with
    }

    private func connected(to choice: Int, in choices: Set<Int>) -> Set<Int> {
        var found: Set<Int> = [choice]
        var open = [choice]
        while let next = open.popLast() {
            for other in dependencies[next] + dependants[next]
            where choices.contains(other) && found.insert(other).inserted {
                open.append(other)
            }
        }
        return found
    }

    private func reached(from choice: Int, by edges: [[Int]], in choices: Set<Int>) -> Set<Int> {
        var found: Set<Int> = [choice]
        var open = [choice]
        while let next = open.popLast() {
            for other in edges[next] where choices.contains(other) && found.insert(other).inserted {
                open.append(other)
            }
        }
        return found
    }
}
