import Bytes
import Engine
import Oracle
import Storage

/// A store that comes with Faultline and runs on any storage: on files in `faultline-target`, in memory inside this
/// process.
package enum BuiltInStore: Sendable {
    case engine(EngineStore.Configuration)
    case events(EventTarget.Configuration)

    /// The store called `name`, configured by parameters of its manifest; nil when it is none of these.
    package init?(_ name: String, _ value: (_ parameter: String) -> String?) {
        let planted = value("planted") ?? ""
        func number(_ parameter: String) -> Int? { value(parameter).flatMap { Int($0) } }
        switch name {
        case "engine":
            self = .engine(
                EngineStore.Configuration(
                    compactionPeriod: value("compact_every").flatMap(UInt64.init) ?? 0,
                    writesBatches: value("batch") == "1", segmentKiB: number("segment_kib") ?? 32,
                    reopensRefused: value("reopen") == "1", planted: PlantedBug.ofStores.first { $0.name == planted }))
        case "events":
            self = .events(
                EventTarget.Configuration(
                    checkpointPeriod: value("checkpoint_every").flatMap(UInt64.init) ?? 0,
                    segmentKiB: number("segment_kib") ?? 16,
                    planted: PlantedBug.ofEvents.first { $0.name == planted }))
        default: return nil
        }
    }

    /// Does the workload from its beginning to its end. Throws what the store threw first.
    package func run(_ workload: Workload, on storage: any Storage, oracle: any OracleSink) throws {
        switch self {
        case .engine(let configuration):
            try workload.run(on: EngineStore(storage: storage, configuration), oracle: oracle)
        case .events(let configuration):
            try workload.run(on: EventTarget(storage: storage, configuration), oracle: oracle)
        }
    }

    func open(_ storage: any Storage) throws -> any BuiltInTarget {
        switch self {
        case .engine(let configuration): try EngineStore(storage: storage, configuration)
        case .events(let configuration): try EventTarget(storage: storage, configuration)
        }
    }

    /// Opens the store, hands each live key with its payload to `emit`, and closes it.
    package func dump(_ storage: any Storage, _ emit: (ByteString, [UInt8]) throws -> Void) throws {
        let store = try open(storage)
        try store.dump(emit)
        try store.close()
    }

    /// Opens the store, writes one key, and leaves it as a crash of the process would, once the write is acknowledged.
    package func write(_ key: ByteString, _ payload: [UInt8], on storage: any Storage) throws {
        try open(storage).put(key, payload)
    }
}

extension ConfiguredTarget {
    /// The store itself, where it can run in this process.
    package var builtInStore: BuiltInStore? {
        guard target.manifest == nil else { return nil }
        return BuiltInStore(target.name) { parameter in configuration.first { $0.name == parameter }?.value }
    }
}
