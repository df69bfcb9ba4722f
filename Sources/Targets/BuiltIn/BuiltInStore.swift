import Bytes
import Engine
import Oracle
import Storage

/// A built-in store. It runs on any storage: on files in `faultline-target`, in memory in this process.
package enum BuiltInStore: Sendable {
    case engine(EngineStore.Configuration)
    case events(EventTarget.Configuration)

    /// The built-in store `name`, configured by manifest parameters; nil for any other name.
    package init?(_ name: String, _ value: (_ parameter: String) -> String?) {
        let planted = value("planted") ?? ""
        func number(_ parameter: String) -> Int? { value(parameter).flatMap { Int($0) } }
        switch name {
        case "engine":
            self = .engine(
                EngineStore.Configuration(
                    compactionPeriod: value("compact_every").flatMap(UInt64.init) ?? 0,
                    writesBatches: value("batch") == "1", segmentKiB: number("segment_kib") ?? 32,
                    reopensAfterFailure: value("reopen") == "1",
                    planted: PlantedBug.ofStores.first { $0.name == planted }))
        case "events":
            self = .events(
                EventTarget.Configuration(
                    checkpointPeriod: value("checkpoint_every").flatMap(UInt64.init) ?? 0,
                    segmentKiB: number("segment_kib") ?? 16,
                    planted: PlantedBug.ofEvents.first { $0.name == planted }))
        default: return nil
        }
    }

    /// Runs the whole workload. Throws the first error of the store.
    package func run(_ workload: Workload, on storage: any Storage, oracle: any OracleSink) throws {
        switch self {
        case .engine(let configuration):
            try workload.run(on: EngineStore(storage: storage, configuration, workload.timings), oracle: oracle)
        case .events(let configuration):
            try workload.run(on: EventTarget(storage: storage, configuration, workload.timings), oracle: oracle)
        }
    }

    func open(_ storage: any Storage) throws -> any BuiltInTarget {
        switch self {
        case .engine(let configuration): try EngineStore(storage: storage, configuration)
        case .events(let configuration): try EventTarget(storage: storage, configuration)
        }
    }

    /// Opens the store, passes each live key with its payload to `emit`, and closes it.
    package func dump(_ storage: any Storage, _ emit: (ByteString, [UInt8]) throws -> Void) throws {
        let store = try open(storage)
        try store.dump(emit)
        try store.close()
    }

    /// Opens the store and writes one key, durably. Does not close it, like a crash of the process.
    package func write(_ key: ByteString, _ payload: [UInt8], on storage: any Storage) throws {
        try open(storage).put(key, payload)
    }
}

extension ConfiguredTarget {
    /// The store, if it is built in and so can run in this process.
    package var builtInStore: BuiltInStore? {
        guard target.manifest == nil else { return nil }
        return BuiltInStore(target.name) { parameter in configuration.first { $0.name == parameter }?.value }
    }
}
