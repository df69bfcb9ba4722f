import Bytes
import Runs

extension English {
    /// How and when a device began to fail.
    ///
    /// `error_writes during the workload, after 37 acknowledgements`
    static func place(of trial: FlakeyTrial) -> String {
        switch trial.moment {
        case .afterWorkload: "\(trial.fault.rawValue) after the workload"
        case .duringWorkload:
            "\(trial.fault.rawValue) during the workload, after \(trial.acknowledged.counted("acknowledgement"))"
        }
    }
}
