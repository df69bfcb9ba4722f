import Engine

/// The target `events`.
enum EventDriver {
    static func run(_ arguments: inout Arguments) throws {
        let planted = try arguments.take("planted", ["none"] + PlantedBug.ofEvents.map(\.name))
        let bug = PlantedBug.ofEvents.first { $0.name == planted }
        let checkpointPeriod = UInt64(try arguments.take("checkpoint_every", ["20", "0"])) ?? 0
        try arguments.finish()
        switch arguments.role {
        case .workload:
            try Driver.workload {
                try EventTarget(directory: $0, checkpointPeriod: checkpointPeriod, planting: bug)
            }
        case .recover:
            try Driver.recover(isPersistent: arguments.isPersistent) { directory, emit in
                let target = try EventTarget(directory: directory, checkpointPeriod: 0, planting: bug)
                try target.dump(emit)
                try target.close()
            }
        }
    }
}
