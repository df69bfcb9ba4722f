import Bytes
import Machine
import Model
import Oracle
import Platform
import Storage
import Targets

/// Recovers a store's directory and judges what it shows by an oracle, whatever happened to it before.
package struct StandaloneValidation: Sendable {
    package var target: ConfiguredTarget
    package var directory: ByteString
    package var oracle: ByteString
    package var contract: Contract
    /// How many keys are compared byte for byte; nil for all.
    package var sampleCount: Int?
    package var seed: UInt64
    package var plainInFlight: Int
    /// The store's recovery can write to its directory alone.
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
        /// Why the verdict is not the judgement's.
        package var reason: Reason?
        /// What came up about the target's commands.
        package var warnings: [String] = []
        package var recovery: Recovered
        package var lineCount: Int
        package var tornLines: Int
        /// Keys whose payload was compared.
        package var comparedCount: Int
        package var mutations: Int
        package var flagged: Int

        package enum Reason: Sendable {
            /// The validator let this mutation pass, with this verdict.
            case missedMutation(Mutation, Verdict)
            case nothingAcknowledged
        }

        /// How recovery went.
        package enum Recovered: Sendable {
            case opened(seconds: Double, keyCount: Int)
            case failed(seconds: Double, reason: String)
        }
    }

    package func run() throws -> Outcome {
        // A store that is not there is a slip of whoever calls, not one of the store.
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

    /// In a sandbox around the store's directory: what is in it may have come from anywhere.
    private func runConfined(_ scratch: ByteString) throws -> Outcome {
        let links = try Tree(skeletonOf: try directory.resolvedPath()).escapingLinks()
        var confined = target
        confined.confinement = try .foreign(in: directory, private: scratch, trusts: false)
        _ = try confined.confined(for: links, in: directory)
        return try run(confined) { failure in
            if let link = links.first { throw TargetError.leavingLink(link, .sandboxed(reason: failure)) }
            // The sandbox must not pass for a fault of the store: a life without faults opens in one.
            let place = scratch.appending(component: "life")
            try RunFiles.makeDirectory(place)
            var control = target
            control.confinement = try .foreign(in: place, trusts: false)
            try RecoveryControl(control, scratch: place).requireOfLife(seed: seed)
        }
    }

    /// - Parameter checkFailure: hears why the store does not open, and throws where that may not be the store's doing.
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
            comparedCount: sample?.count ?? observation.count, mutations: 0, flagged: 0)
        outcome.warnings = target.warnings.takeAll()
        control(&outcome, validator, observation, isSampled: sample != nil)
        return outcome
    }

    /// A lost tail is told from a hole by the whole history.
    private func memory(for observation: Observation) -> Validator.Memory {
        contract.allowsLostTail ? .everything : .watching(observation)
    }

    /// Nil when every key is compared.
    private func sampled(_ observation: Observation) -> Set<ByteString>? {
        guard let sampleCount, sampleCount < observation.count else { return nil }
        var (draws, left) = (RandomStream(seed: seed).stream("sample"), sampleCount)
        var sample: Set<ByteString> = []
        // Each key with the chance that leaves exactly as many as are wanted.
        for (index, entry) in observation.entries.enumerated() {
            if draws.next(upperBound: UInt64(observation.count - index)) < UInt64(left) {
                sample.insert(entry.key)
                left -= 1
            }
        }
        return sample
    }

    /// The positive control: the observation is made wrong once for each check, and each must be flagged. A wrong value
    /// under a key that is not compared would not be, and need not.
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
                outcome.flagged += 1
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
