import Bytes
import Exploration
import FaultFS
import Model
import Runs
import Storage

/// Chooses a place for the rule of each family, in the middle of the work: counts the matches in a life without faults,
/// and draws one with the seed.
struct FaultPlanner {
    /// A family with its rule.
    struct Plan {
        package var family: FaultFamily
        /// nil if there is nothing to hit.
        package var rule: Rule?
        /// The reason why there is nothing to hit.
        package var obstacle: Obstacle?
        /// The values of `#` and of the file in the family's template.
        package var number: UInt64 = 0
        package var path: ByteString?
        /// The same fault at other places, for a family that is tried at several.
        package var others: [Plan] = []

        /// The same fault at an earlier place; nil if this is the first.
        package func earlier() throws -> Plan? {
            guard rule != nil, number > 1 else { return nil }
            var plan = self
            plan.number = number / 2
            plan.rule = try family.rule(plan.number, path: path)
            return plan
        }
    }

    package let request: RunRequest
    package let context: RunContext
    /// The suffix of the file names of a life.
    package let label: String
    /// Whether to sweep: each family is tried at every place where it can fire.
    let takesEveryPlace: Bool

    /// The limit of files to try for reads: each file needs a rule.
    private static let fileLimit = 24
    /// More operations than any life has.
    private static let never: UInt64 = 1 << 40

    /// A rule that only counts the matches of a family, or of a family and a file.
    private struct Candidate {
        var family: Int
        var path: ByteString?
        var rule: Rule
    }

    /// Makes plans for these families, in order.
    func plans(_ families: [FaultFamily]) throws -> [Plan] {
        let plain = try life("plain", [])
        guard plain.first.termination.isSuccess else {
            throw RunError.failedWithoutFault(
                plain.first.end, wroteLines: plain.first.lineCount)
        }
        if let outcome = plain.underRules { try RecoveryControl(request, context).require(outcome.recovery) }
        let tree = try plain.recording.wholeState(at: plain.recording.events.count).tree
        let files = tree.reachable().compactMap { (name) -> (path: ByteString, sizeBytes: UInt64)? in
            guard let node = tree.nodes[name.inode], node.kind == .regular, node.sizeBytes > 0 else { return nil }
            return (name.path, node.sizeBytes)
        }
        let sizeBytes = files.reduce(0) { $0 + $1.sizeBytes }
        let paths = files.map(\.path)

        var plans = families.map { Plan(family: $0) }
        var candidates: [Candidate] = []
        for (index, family) in families.enumerated() where !family.isQuota {
            let ways: [ByteString?] = family.isOfOneFile ? paths.prefix(Self.fileLimit).map { $0 } : [nil]
            for path in ways {
                candidates.append(
                    Candidate(family: index, path: path, rule: try family.rule(Self.never, path: path)))
            }
        }
        let counts = try count(&candidates, &plans)
        var stream = RandomStream(seed: request.seed).stream("placing faults")
        for index in plans.indices where plans[index].obstacle == nil {
            let draw = stream.next()
            if plans[index].family.isQuota {
                try placeQuota(&plans[index], sizeBytes: sizeBytes, draw)
            } else {
                let mine = zip(candidates, counts).filter { $0.0.family == index && $0.1 > 0 }
                try place(&plans[index], mine.map { ($0.path, $1) }, draw)
            }
        }
        return plans
    }

    /// Counts the matches of each candidate's rule in a life in which none fires. Removes candidates that the mount
    /// does not support, and sets the obstacle in their plans.
    private func count(_ candidates: inout [Candidate], _ plans: inout [Plan]) throws -> [UInt64] {
        while true {
            do {
                let outcome = try life("counted", candidates.map(\.rule))
                guard outcome.first.termination.isSuccess else {
                    throw RunError.harness(
                        "the workload failed although no rule fired: it \(outcome.first.end)")
                }
                return outcome.rules.map(\.matched)
            } catch MountError.rule(let rule, let reason) {
                for candidate in candidates where candidate.rule == rule {
                    plans[candidate.family].obstacle = .other(reason)
                }
                candidates.removeAll { $0.rule == rule }
            }
        }
    }

    private func life(_ name: String, _ rules: [Rule]) throws -> FaultTrial.Outcome {
        var trial = FaultTrial(request: request, context: context, name: "\(name)\(label)")
        trial.hasSecondLife = false
        let outcome = Result { try trial.run(rules) }
        // A recording keeps its trace open, so the file can be removed.
        try trial.remove()
        return try outcome.get()
    }

    private func placeQuota(_ plan: inout Plan, sizeBytes: UInt64, _ draw: UInt64) throws {
        guard sizeBytes >= 8 else {
            plan.obstacle = .storeWritesTooLittle
            return
        }
        // Between a quarter and three quarters of the final size.
        plan.number = sizeBytes / 4 + draw % (sizeBytes / 2)
        plan.rule = try plan.family.rule(plan.number, path: nil)
    }

    private func place(_ plan: inout Plan, _ ways: [(path: ByteString?, count: UInt64)], _ draw: UInt64) throws {
        let total = ways.reduce(0) { $0 + $1.count }
        guard total > 0 else {
            plan.obstacle = .nothingToHit
            return
        }
        let count = takesEveryPlace ? total : min(UInt64(plan.family.placeCount), total)
        // A sweep starts at the first place, otherwise at a drawn one.
        let first = takesEveryPlace ? 0 : draw % total
        let places = try (0..<count).map { index in
            try self.plan(plan.family, ways, first + index * total / count)
        }
        plan = places[0]
        plan.others = Array(places.dropFirst())
    }

    /// - Parameter place: the index among the places of all `ways`, modulo their number.
    private func plan(
        _ family: FaultFamily, _ ways: [(path: ByteString?, count: UInt64)], _ place: UInt64
    ) throws -> Plan {
        var place = place % ways.reduce(0) { $0 + $1.count }
        var plan = Plan(family: family)
        for way in ways {
            (plan.number, plan.path) = (place + 1, way.path)
            if place < way.count { break }
            place -= way.count
        }
        plan.rule = try family.rule(plan.number, path: plan.path)
        return plan
    }
}
