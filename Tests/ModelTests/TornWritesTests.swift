import Litmus
import Testing

@testable import Model

struct TornWritesTests {
    /// Whether the units of a write that survive are all, none, a prefix, a suffix, all but one, or one.
    private func isTornUsually(_ kept: [Bool]) -> Bool {
        let count = kept.count { $0 }
        guard let first = kept.firstIndex(of: true), let last = kept.lastIndex(of: true) else { return true }
        let isRun = last - first + 1 == count
        return count == kept.count - 1 || count == 1 || isRun && (first == 0 || last == kept.count - 1)
    }

    /// All legal states of the level, by trying every set of atoms.
    private func states(_ atoms: AtomGraph, _ graph: ChoiceGraph) -> [[UInt64]] {
        let writes = atoms.atomsOfEffect.filter { range in
            range.count > 2
                && range.allSatisfy { graph.dependencies[$0].allSatisfy { Int($0) < range.lowerBound } }
        }
        return (0..<UInt64(1) << UInt64(graph.count)).map { [$0] }.filter { set in
            let isLegal = (0..<graph.count).allSatisfy { atom in
                !set.holds(atom) || graph.dependencies[atom].allSatisfy { set.holds(Int($0)) }
            }
            return isLegal && writes.allSatisfy { isTornUsually($0.map(set.holds)) }
        }
    }

    /// With any atoms kept and others lost, a state is found if there is one, and it is one of them.
    @Test func `a torn state is found exactly if there is one`() throws {
        var (found, none) = (0, 0)
        for seed in 0..<100 as Range<UInt64> {
            let script = try TraceGenerator.script(seed: seed)
            let trace = try LitmusTrace(script)
            for profile in Profile.allCases {
                // Small units, so that writes have many.
                let set = trace.pendingSet(profile, unitBytes: 1)
                let atoms = AtomGraph(set)
                guard (1...11).contains(atoms.atoms.count) else { continue }
                let graph = ChoiceGraph(atoms, .torn)
                let torn = TornWrites(atoms, graph)
                let all = states(atoms, graph)
                var draws = RandomStream(seed: seed).stream("torn")
                for _ in 0..<8 {
                    var fixed = FixedChoices(count: graph.count)
                    for _ in 0...draws.next(upperBound: UInt64(8)) {
                        let choice = Int(draws.next(upperBound: UInt64(graph.count)))
                        var more = fixed
                        if more.fix(choice, isKept: draws.chance(1, in: 2), in: graph) { fixed = more }
                    }
                    let agreeing = all.filter { set in
                        set[0] & fixed.kept[0] == fixed.kept[0] && set[0] & fixed.lost[0] == 0
                    }
                    let place = "seed \(seed), \(profile.rawValue), kept \(fixed.kept), lost \(fixed.lost)"
                    switch torn.state(fixed) {
                    case .found(let state):
                        found += 1
                        #expect(agreeing.contains(state), "\(place)")
                    case .none:
                        none += 1
                        #expect(agreeing.isEmpty, "\(place)")
                    case .unknown: Issue.record("\(place): given up")
                    }
                }
            }
        }
        #expect(found > 500 && none > 0)
    }
}
