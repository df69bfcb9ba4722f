/// What a soak measures, and from when on a rise of it counts.
package enum SoakMeasure: String, Codable, CaseIterable, Sendable {
    /// Of the processes of the store's workload.
    case memory, descriptors, threads
    /// The directory of the store after its recovery, and the rest of the run's scratch space.
    case storeBytes, scratchBytes
    /// Of Faultline's own process.
    case ownMemory, ownDescriptors, ownThreads

    /// Those that are followed within a life of the store, against the operations that it has acknowledged.
    package static let withinLife: [SoakMeasure] = [.memory, .descriptors, .threads]

    /// Whether it is a number of bytes.
    package var isBytes: Bool {
        switch self {
        case .memory, .storeBytes, .scratchBytes, .ownMemory: true
        case .descriptors, .threads, .ownDescriptors, .ownThreads: false
        }
    }

    /// The least rise for each thousand operations of a life that is a leak. Below it is what an allocator and a sample
    /// at a bad moment may do.
    package var leakPerThousand: Double { isBytes ? 64 * 1024 : 0.5 }

    /// The least rise in the second half of a life that is a leak.
    package var leastLeak: Double { isBytes ? 128 * 1024 : 2 }

    /// The least rise over the run that is growth, whatever its share of the value.
    package var leastGrowth: Double {
        switch self {
        case .memory, .ownMemory: 4 * 1024 * 1024
        case .storeBytes, .scratchBytes: 1024 * 1024
        case .descriptors, .ownDescriptors: 4
        case .threads, .ownThreads: 3
        }
    }
}
