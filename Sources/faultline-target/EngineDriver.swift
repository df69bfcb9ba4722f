import Engine

/// The target `engine`.
enum EngineDriver {
    static func run(_ arguments: inout Arguments) throws {
        let planted = try arguments.take("planted", ["none"] + PlantedBug.ofStores.map(\.name))
        let bug = PlantedBug.ofStores.first { $0.name == planted }
        let compactionPeriod = UInt64(try arguments.take("compact_every", ["40", "0"])) ?? 0
        let writesBatches = try arguments.take("batch", ["0", "1"]) == "1"
        try arguments.finish()
        switch arguments.role {
        case .workload:
            try Driver.workload {
                try EngineStore(
                    directory: $0, compactionPeriod: compactionPeriod, writesBatches: writesBatches, planting: bug)
            }
        case .recover:
            try Driver.recover(isPersistent: arguments.isPersistent) { directory, emit in
                let store = try EngineStore(
                    directory: directory, compactionPeriod: 0, writesBatches: writesBatches, planting: bug)
                try store.dump(emit)
                try store.close()
            }
        }
    }
}
