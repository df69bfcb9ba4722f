import Bytes
import Engine
import Storage
import Targets

/// Drives the targets `engine` and `events`.
enum BuiltInDriver {
    static func run(_ arguments: inout Arguments) throws {
        let isEngine = arguments.store == "engine"
        let bugs = (isEngine ? PlantedBug.ofStores : PlantedBug.ofEvents).map(\.name)
        var values = ["planted": try arguments.take("planted", ["none"] + bugs)]
        if isEngine {
            values["compact_every"] = try arguments.take("compact_every", ["40", "0"])
            values["batch"] = try arguments.take("batch", ["0", "1"])
            values["segment_kib"] = try arguments.take("segment_kib", ["32", "4"])
            values["reopen"] = try arguments.take("reopen", ["0", "1"])
        } else {
            values["checkpoint_every"] = try arguments.take("checkpoint_every", ["20", "0"])
            values["segment_kib"] = try arguments.take("segment_kib", ["16", "4"])
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
