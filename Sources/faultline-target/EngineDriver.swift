import Engine

/// The target `engine`.
enum EngineDriver {
    static func run(_ arguments: inout Arguments) throws {
        let planted = try arguments.take("planted", ["none"] + PlantedBug.allCases.map(\.name))
        let bug = PlantedBug.allCases.first { $0.name == planted }
        try arguments.finish()
        switch arguments.role {
        case .workload:
            try Driver.workload { try EngineStore(directory: $0, planting: bug) }
        case .recover:
            try Driver.recover(isPersistent: arguments.isPersistent) { directory, emit in
                let store = try EngineStore(directory: directory, planting: bug)
                try store.dump(emit)
                try store.close()
            }
        }
    }
}
