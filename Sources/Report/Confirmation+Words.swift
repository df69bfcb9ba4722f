import Block
import Bytes
import Runs

extension Confirmation {
    /// `seen on ext4 6.18: 12 of 340 crash states`
    package var words: String {
        let place = "\(filesystem.rawValue) \(RunResult.Block.short(kernel))"
        return switch outcome {
        case .seen(let states, let all): "seen on \(place): \(states) of \(all.counted("crash state"))"
        case .notSeen(let all, nil):
            "not seen on \(place) in \(all.counted("crash state")): the model allows it"
        case .notSeen(let all, let explored?):
            "not seen on \(place) in \(all.counted("crash state")) (\(explored) epochs: the budget was used up): the model "
                + "allows it"
        case .cannotBeSeen(let reason): "cannot be seen on \(place): \(reason)"
        }
    }
}
