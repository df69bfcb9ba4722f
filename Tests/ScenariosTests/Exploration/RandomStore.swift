import Bytes
import Exploration
import Model
import Oracle
import Storage

/// A random run of a little store, and a random recovery that reads some of its files, goes on by what it saw, and changes
/// them. All of it follows from the seed.
struct RandomStore {
    private static let names: [ByteString] = ["a", "b", "c"]
    private let store: ScriptedStore
    private let program: RandomStream

    init(seed: UInt64) throws {
        var draws = RandomStream(seed: seed)
        program = draws.stream("recovery")
        store = try ScriptedStore { storage, say in
            // Most names are there: a thrown error costs more than a recovery, because tests record its call stack.
            for name in Self.names { _ = try storage.create(name) }
            try storage.syncDirectory()
            for number in 1...3 as ClosedRange<UInt64> {
                let put = OracleOperation.put(number, "k", [UInt8(number)])
                say(.begin(put))
                for _ in 0...draws.next(upperBound: UInt64(2)) { try? Self.change(storage, UInt8(number), &draws) }
                if draws.chance(2, in: 3) { say(.acknowledged(put)) }
            }
        }
    }

    func explore(_ profile: Profile, decides: Bool) throws -> Explorer {
        var limits = ExplorationLimits()
        limits.decides = decides
        // So many states are looked at in one round, so that each failing one counts once.
        limits.statesPerEpoch = 1024
        let program = program
        let explorer = try store.explorer(
            profile, limits: limits, noting: { storage, _ in try Self.recover(storage, program) })
        try explorer.runToItsEnd()
        return explorer
    }

    private static func change(_ storage: any Storage, _ byte: UInt8, _ draws: inout RandomStream) throws {
        let name = names.randomElement(using: &draws)!
        switch draws.next(upperBound: UInt64(12)) {
        case 0: try storage.syncDirectory()
        case 1: try storage.rename(name, to: names.randomElement(using: &draws)!)
        case 2: try storage.unlink(name)
        case 3: try storage.open(name).sync()
        case 4: try storage.open(name).truncate(to: draws.next(upperBound: UInt64(1500)))
        default:
            let file = try (try? storage.open(name)) ?? storage.create(name)
            let count = Int(draws.next(upperBound: UInt64(900))) + 1
            try file.write([UInt8](repeating: byte, count: count), at: draws.next(upperBound: UInt64(3)) * 300)
        }
    }

    private static func recover(_ storage: any Storage, _ program: RandomStream) throws -> Recovery {
        var draws = program
        func see(_ bytes: [UInt8]) { draws = bytes.reduce(draws.stream(UInt64(bytes.count))) { $0.stream(UInt64($1)) } }
        if draws.chance(1, in: 3) { see(storage.names) }
        for _ in 0..<3 {
            let name = names.randomElement(using: &draws)!
            guard let file = try? storage.open(name) else {
                see([0])
                continue
            }
            switch draws.next(upperBound: UInt64(8)) {
            case 0: see([UInt8(truncatingIfNeeded: try file.length())])
            case 1: try file.truncate(to: draws.next(upperBound: UInt64(1000)))
            case 2: try file.write([9], at: draws.next(upperBound: UInt64(600)))
            case 3: try file.write([UInt8](repeating: 8, count: 700), at: draws.next(upperBound: UInt64(2)) * 512)
            case 4: try storage.rename(name, to: names.randomElement(using: &draws)!)
            default: see(try file.read(countBytes: 2, at: draws.next(upperBound: UInt64(3)) * 500))
            }
        }
        guard let file = try? storage.open("a"), let byte = try file.read(countBytes: 1, at: 600).first else {
            return .opened(Observation())
        }
        return .opened(Observation(["k": [byte]]))
    }
}

extension Storage {
    fileprivate var names: [UInt8] { ((try? list()) ?? []).sorted().flatMap(\.bytes) }
}
