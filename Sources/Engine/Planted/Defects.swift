/// Asks, at each place where a planted bug lives in the engine, whether it is planted.
///
/// The engine is generic over the answer. With `NoDefects` the questions vanish from the compiled code.
protocol Defects: Sendable {
    func has(_ bug: PlantedBug) -> Bool
}

/// The engine as it should be.
struct NoDefects: Defects {
    @inline(__always) func has(_ bug: PlantedBug) -> Bool { false }
}

/// The engine with one bug.
struct OneDefect: Defects {
    let planted: PlantedBug
    func has(_ bug: PlantedBug) -> Bool { bug == planted }
}
