import Bytes
import Oracle

extension ConfiguredTarget {
    /// The outcome with the answer of the store's own checker (`check:` in a manifest), which runs if the store opened.
    ///
    /// - Parameters:
    ///   - endpoint: where the server of the store listens, if it has one.
    ///   - timeoutSeconds: a checker that takes longer has a complaint.
    /// - Throws: `checkNotRun` if its program or script is not there.
    func checked(
        _ outcome: RecoverOutcome, in directory: ByteString, at endpoint: ServerEndpoint?, timeoutSeconds: Int
    ) throws(TargetError) -> RecoverOutcome {
        guard let words = target.check, case .opened(var observation) = outcome else { return outcome }
        let place = StorePlace(directory, endpoint)
        var command = command(words, at: place)
        command.environment.merge(place.variables) { $1 }
        command.output = .errors
        let (end, process) = try ProcessRunner.run(command, timeoutMilliseconds: timeoutSeconds * 1000)
        let said = process.standardError.said
        if case .exited(let code) = end, code == 126 || code == 127 {
            throw .checkNotRun(command: command.arguments, code: code, said: said)
        }
        if end.isFromOutside { return .killed(reason: "the check \(end)" + (said.isEmpty ? "" : ": \(said)")) }
        if end.isSuccess {
            if observation.ownCheck == nil { observation.ownCheck = .passed }
        } else {
            let ending = end == .timedOut ? "the check did not end within \(timeoutSeconds) s" : "the check \(end)"
            observation.ownCheck = .complaint(said.isEmpty ? ending : "\(ending): \(said)")
        }
        return .opened(observation)
    }
}
