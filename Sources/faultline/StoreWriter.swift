import ArgumentParser
import Bytes
import Engine
import Machine
import Report
import Scenarios
import Storage

/// A store to write to.
struct StoreWriter: ParsableArguments {
    @OptionGroup var store: StoreDirectory
    @Flag(
        help: """
            Go on although the end of the log is damaged: what stands behind the damage is dropped, and kept in a file \
            beside the segment.
            """)
    var discardDamagedTail = false

    /// Runs `body` with the store, then always closes it. An error of `body` takes precedence. `creating` creates a
    /// missing store.
    func withStore<Result>(creating: Bool = false, _ body: (KeyValueStore) throws -> Result) throws -> Result {
        try store.naming {
            let store = try open(creating)
            let result: Result
            do { result = try body(store) } catch {
                try? store.close()
                throw error
            }
            try store.close()
            return result
        }
    }

    private func open(_ isCreating: Bool) throws -> KeyValueStore {
        let storage = try isCreating ? PosixStorage(creatingDirectory: store.directory) : store.storage()
        let log = LogOptions(damagedTail: discardDamagedTail ? .setAside : .refuse)
        let opened: KeyValueStore
        do throws(EngineError) {
            opened = try KeyValueStore.open(storage: storage, options: KeyValueOptions(log: log))
        } catch {
            guard case .damagedTail = error else { throw error }
            throw StoreUsageError(
                description: """
                    \(store.directory): \(error). `faultline store verify` shows what stands behind it; \
                    --discard-damaged-tail goes on without that, and keeps it in a file
                    """)
        }
        say(opened.recoveryReport)
        return opened
    }

    /// Reports skipped records: a damaged store would otherwise look like a small one.
    private func say(_ report: RecoveryReport) {
        for warning in report.warnings { StandardError.say("faultline: \(warning)") }
        if report.bytesDiscarded > 0 {
            let kept = report.setAsideFile.map { " and kept in \($0)" } ?? ""
            StandardError.say(
                "faultline: \(report.bytesDiscarded.counted("byte")) behind the last record: dropped\(kept)")
        }
    }
}
