import Litmus
import Testing

@testable import Model

/// `Requirements` and `BarrierCoverage` say what needs what, and what a barrier promises. All that says it again for speed,
/// or reads it in a way of its own, agrees with them on random traces under every profile.
struct RequirementsTests {
    /// A barrier makes durable by the fast ways what it does by the requirements alone.
    @Test(arguments: Profile.allCases) func `fast commits follow from the requirements`(profile: Profile) throws {
        var compared = 0
        for seed in 0..<300 as Range<UInt64> {
            let script = try TraceGenerator.script(seed: seed, steps: 24)
            // The generator knows nothing of files below a directory that it moved: a few of its longer runs are none.
            guard let trace = try? LitmusTrace(script) else { continue }
            var fast = PendingSet(profile: profile, unitBytes: script.unitBytes)
            var slow = fast
            for event in trace.events {
                fast.add(event)
                slow.addByRequirements(event)
                guard case .barrierEnded(_, errno: 0) = event else { continue }
                compared += 1
                let found = difference(fast, slow)
                #expect(
                    found == nil,
                    "seed \(seed), after event \(fast.eventCount)\n\(script.text(outcomes: []))")
                if found != nil { return }
            }
            #expect(difference(fast, slow) == nil, "seed \(seed), at its end\n\(script.text(outcomes: []))")
        }
        #expect(compared > 300, "hardly any barrier succeeded: the test looks at nothing")
    }

    private func difference(_ fast: PendingSet, _ slow: PendingSet) -> String? {
        if fast.durable != slow.durable { return "what is durable" }
        for choice in [.everything, .nothing] + (0..<4 as Range<UInt64>).map(Choice.seeded) {
            let (left, right) = (fast.survivors(choice), slow.survivors(choice))
            if fast.tree(left) != slow.tree(right) { return "the tree of \(choice)" }
            if fast.lost(left) != slow.lost(right) { return "what \(choice) loses" }
        }
        return nil
    }

    /// Each state that the walk visits, and each that a choice asks for, has what it needs.
    @Test(arguments: Profile.allCases) func `no state lacks what it needs`(profile: Profile) throws {
        var checked = 0
        for seed in 0..<150 as Range<UInt64> {
            let script = try TraceGenerator.script(seed: seed, steps: seed % 2 == 0 ? nil : 12)
            let set = try LitmusTrace(script).pendingSet(profile, unitBytes: script.unitBytes)
            let needs = DependencyChecker(set)
            var states = (0..<6).map { set.survivors(.seeded(seed * 6 + $0)) }
            set.forEachSurvivors { survivors in
                states.append(survivors)
                return states.count < 100
            }
            for survivors in states {
                let missing = needs.missingDependency(survivors)
                #expect(missing == nil, "seed \(seed)\n\(script.text(outcomes: []))")
                if missing != nil { return }
            }
            checked += states.count
        }
        #expect(checked > 1000)
    }
}

extension PendingSet {
    /// As `add`, by the requirements alone.
    fileprivate mutating func addByRequirements(_ event: TraceEvent) {
        if rules.everythingPersists { commit { _, _ in true } }
        if case .barrierEnded(let id, errno: 0) = event, let state = barriers[id] {
            eventCount += 1
            let coverage = coverage(of: state)
            barriers[id] = nil
            endLogging(state, succeeded: true)
            commit { old, effect in coverage.covers(effect, replacing: old) }
        } else {
            eventCount += 1
            switch event {
            case .operation(let operation): add(operation)
            case .completed(let id): complete(id)
            case .barrierBegan(let id, let barrier, _): begin(id, barrier)
            case .barrierEnded(let id, let errno): end(id, succeeded: errno == 0)
            case .oracle, .fault: break
            }
        }
        // Only the last write may be cut short by a kill.
        if rules.everythingPersists, !(ordered.first?.isWrite ?? false) { commit { _, _ in true } }
    }
}

/// Checks that choices of survivors are closed under `Requirements`.
private struct DependencyChecker {
    let effects: [PendingEffect]
    let requirements: Requirements
    let rules: ProfileRules
    let unitBytes: UInt64

    init(_ set: PendingSet) {
        effects = set.pendingEffects()
        requirements = Requirements(effects, set)
        rules = set.rules
        unitBytes = set.unitBytes
    }

    /// Describes a dependency that is lost; nil if there is none.
    func missingDependency(_ survivors: Survivors) -> String? {
        for (index, fate) in survivors.fates.enumerated() where fate != .lost {
            if case .joinsNext = effects[index].dependency, index + 1 < effects.count,
                survivors.fates[index + 1] != fate
            {
                return "\(index) without \(index + 1)"
            }
            for dependency in requirements[index] {
                switch dependency {
                case .effect(let other):
                    // The growth of a write is cut short with it.
                    let isCutShort = rules.order == .total && effects[index].operation == effects[other].operation
                    guard survivors.fates[other] == .kept || isCutShort && survivors.fates[other] != .lost else {
                        return "\(index) without \(other)"
                    }
                case .units(let other, let range):
                    if lacks(fate, index, survivors.fates[other], other, range) {
                        return "\(index) without units of \(other)"
                    }
                }
            }
        }
        return nil
    }

    /// Whether kept bytes of an effect lie in units that depend on lost units of another one.
    private func lacks(
        _ fate: Fate, _ index: Int, _ otherFate: Fate, _ other: Int, _ range: Range<UInt64>
    ) -> Bool {
        if otherFate == .kept { return false }
        let kept: RangeSet<UInt64> = if case .data(let bytes) = fate { bytes } else { effects[index].pendingBytes }
        let otherKept: RangeSet<UInt64> = if case .data(let bytes) = otherFate { bytes } else { RangeSet() }
        // Zeros are lost as a whole.
        var lost = effects[other].isWrite ? RangeSet<UInt64>() : RangeSet(range)
        for run in effects[other].pendingBytes.subtracting(otherKept).ranges {
            lost.insert(contentsOf: run.aligned(to: unitBytes))
        }
        return !kept.intersection(lost).intersection(RangeSet(range)).isEmpty
    }
}
