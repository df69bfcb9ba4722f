import Bytes
import Machine
import Model
import Oracle
import Platform
import Storage
import Targets

/// Recovers a store's directory and judges the result by an oracle, whatever happened to the store before.
package struct StandaloneValidation: Sendable {
    package var target: ConfiguredTarget
    package var directory: ByteString
    package var oracle: ByteString
    package var contract: Contract
    /// The number of keys whose values are compared; nil for all.
    package var sampleCount: Int?
    package var seed: UInt64
    package var plainInFlight: Int
    /// Whether the recovery runs in a sandbox that can write only to the store's directory.
    package var isSandboxed: Bool

    package init(
        target: ConfiguredTarget, directory: ByteString, oracle: ByteString, contract: Contract, sampleCount: Int?,
        seed: UInt64, plainInFlight: Int, isSandboxed: Bool = true
    ) {
        self.target = target
        self.directory = directory
        self.oracle = oracle
        self.contract = contract
        self.sampleCount = sampleCount
        self.seed = seed
        self.plainInFlight = plainInFlight
        self.isSandboxed = isSandboxed
    }

    package struct Outcome: Sendable {
        package var judgement: Judgement
        package var verdict: Verdict
        /// Why the verdict differs from the judgement's.
        package var reason: Reason?
        /// Warnings about the target's commands.
        package var warnings: [String] = []
        package var recovery: Recovered
        package var lineCount: Int
        package var tornLines: Int
        /// The number of keys whose payload was compared.
        package var comparedCount: Int
        package var mutations: Int
        package var detected: Int

        package enum Reason: Sendable {
            /// The validator did not detect this mutation, and gave this verdict.
            case missedMutation(Mutation, Verdict)
            case nothingAcknowledged
        }

        /// The result of the recovery.
        package enum Recovered: Sendable {
            case opened(seconds: Double, keyCount: Int)
            case failed(seconds: Double, reason: String)
        }
    }

    package func run() throws -> Outcome {
        // A missing directory is a caller's mistake, not a store failure.
        try RunFiles.requireDirectory(directory)
        guard isSandboxed else {
            var free = target
            free.confinement = .none
            return try run(free) { _ in }
        }
        let scratch = try ScratchDirectory()
        let outcome = Result { try runConfined(scratch.path) }
        try scratch.remove()
        return try outcome.get()
    }

    /// Runs in a sandbox around the store's directory, whose content is untrusted.
    private func runConfined(_ scratch: ByteString) throws -> Outcome {
        let links = try Tree(skeletonOf: try directory.resolvedPath()).escapingLinks()
        var confined = target
        confined.confinement = try .foreign(in: directory, private: scratch, trusts: false)
        _ = try confined.confined(for: links, in: directory)
        return try run(confined) { failure in
            if let link = links.first { throw TargetError.leavingLink(link, .sandboxed(reason: failure)) }
            // Rule out the sandbox as the cause: a fault-free life must open in one.
            let place = scratch.appending(component: "life")
            try RunFiles.makeDirectory(place)
            var control = target
            control.confinement = try .foreign(in: place, trusts: false)
            try RecoveryControl(control, scratch: place).requireOfLife(seed: seed)
        }
    }

    /// - Parameter checkFailure: receives the reason why the store does not open; throws if the store may not be at
    ///   fault.
    private func run(_ target: ConfiguredTarget, checkFailure: (String) throws -> Void) throws -> Outcome {
        let client = RecoverClient(target)
        let began = MonotonicTime.seconds()
        let first = try client.recoverAlone(directory)
        let seconds = ((MonotonicTime.seconds() - began) * 1000).rounded() / 1000
        var evidence = Evidence(first.recovery)
        var observation = Observation()
        let recovery: Outcome.Recovered
        switch first.recovery {
        case .opened(let seen):
            observation = seen
            recovery = .opened(seconds: seconds, keyCount: seen.count)
            evidence.secondRecovery = try client.recoverAlone(directory).recovery
        case .failed, .hung, .filesystemBroken:
            let reason = first.recovery.failure ?? ""
            try checkFailure(reason)
            recovery = .failed(seconds: seconds, reason: reason)
        }
        let sample = sampled(observation)
        var options = Validator.Options(plainInFlight: plainInFlight)
        options.comparedKeys = sample
        var (validator, reader) = (Validator(memory(for: observation), options: options), OracleReader())
        var operationCount = 0
        func apply(_ line: OracleLine, _ number: Int) throws(OracleError) {
            try validator.apply(line, at: number)
            if line.operation != nil { operationCount += 1 }
        }
        do {
            try RunFiles.forEachChunk(of: oracle) { chunk in try reader.read(chunk.span, each: apply) }
            try reader.finish(each: apply)
        } catch let error as OracleError {
            throw OracleDamage(path: oracle, error: error)
        }
        guard operationCount > 0 || reader.tornLines > 0 else {
            throw RunError.harness(
                "\(oracle) holds no operation: it is not what a workload wrote as FAULTLINE_ORACLE, or nothing was written"
            )
        }
        let judgement = validator.judge(evidence, contract: contract)
        var outcome = Outcome(
            judgement: judgement, verdict: judgement.verdict, reason: nil, recovery: recovery,
            lineCount: reader.lineNumber, tornLines: reader.tornLines,
            comparedCount: sample?.count ?? observation.count, mutations: 0, detected: 0)
        outcome.warnings = target.warnings.takeAll()
        control(&outcome, validator, observation, isSampled: sample != nil)
        return outcome
    }

    /// Distinguishing a lost tail from a hole needs the whole history.
    private func memory(for observation: Observation) -> Validator.Memory {
        contract.allowsLostTail ? .everything : .watching(observation)
    }

    /// The keys to compare; nil for all.
    private func sampled(_ observation: Observation) -> Set<ByteString>? {
        guard let sampleCount, sampleCount < observation.count else { return nil }
        var (draws, left) = (RandomStream(seed: seed).stream("sample"), sampleCount)
        var sample: Set<ByteString> = []
        // Selection sampling: gives exactly `sampleCount` keys, each with equal probability.
        for (index, entry) in observation.entries.enumerated() {
            if draws.next(upperBound: UInt64(observation.count - index)) < UInt64(left) {
                sample.insert(entry.key)
                left -= 1
            }
        }
        return sample
    }

    /// The positive control: mutates the observation once for each check; the validator must detect each mutation.
    /// Skipped with sampling, where a wrong value of an uncompared key goes undetected.
    private func control(
        _ outcome: inout Outcome, _ validator: Validator, _ observation: Observation, isSampled: Bool
    ) {
        guard outcome.judgement.verdict == .pass, !isSampled else { return }
        var missed: Outcome.Reason?
        for result in PositiveControl.run(validator, observation, contract: contract, at: nil) {
            if outcome.judgement.notTried.contains(result.mutation.check) { continue }
            switch result.outcome {
            case .detected:
                outcome.mutations += 1
                outcome.detected += 1
            case .missed(let verdict):
                outcome.mutations += 1
                missed = .missedMutation(result.mutation, verdict)
            case .notApplicable, .alreadyBroken: break
            }
        }
        if let missed { (outcome.verdict, outcome.reason) = (.harnessError, missed) }
        if outcome.judgement.totals.oracleLive + outcome.judgement.totals.dead == 0 {
            (outcome.verdict, outcome.reason) = (.inconclusive, .nothingAcknowledged)
        }
    }
}
