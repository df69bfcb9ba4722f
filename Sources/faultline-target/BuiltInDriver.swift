import Bytes
import Engine
import Storage
import Targets

/// Drives the targets `engine` and `events`.
enum BuiltInDriver {
    static func run(_ arguments: inout Arguments) throws {
        var values: [String: String] = [:]
        func bugs(_ bugs: [PlantedBug]) -> [String] { ["none"] + bugs.map(\.name) }
        switch arguments.store {
        case "engine":
            values["planted"] = try arguments.take("planted", bugs(PlantedBug.ofStores))
            values["compact_every"] = try arguments.take("compact_every", ["40", "0"])
            values["batch"] = try arguments.take("batch", ["0", "1"])
            values["segment_kib"] = try arguments.take("segment_kib", ["32", "4"])
            values["reopen"] = try arguments.take("reopen", ["0", "1"])
        case "events":
            values["planted"] = try arguments.take("planted", bugs(PlantedBug.ofEvents))
            values["checkpoint_every"] = try arguments.take("checkpoint_every", ["20", "0"])
            values["segment_kib"] = try arguments.take("segment_kib", ["16", "4"])
        default: throw UsageError(description: "unknown store: \(arguments.store)")
        }
        try arguments.finish()
        guard let store = BuiltInStore(arguments.store, { values[$0] }) else {
            throw UsageError(description: "unknown store: \(arguments.store)")
        }
        switch arguments.role {
        case .workload:
            try Driver.workload { workload, directory, oracle in
                try store.run(workload, on: PosixStorage(directory: directory), oracle: oracle)
            }
        case .recover:
            try Driver.recover(isPersistent: arguments.isPersistent) { directory, emit in
                try store.dump(PosixStorage(directory: directory), emit)
            }
        }
    }
}
