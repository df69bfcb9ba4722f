import Bytes

extension PendingSet {
    /// The unsynced changes, one line for each effect, in trace order: `op 12: write a.db, bytes 4096-8192`.
    public func unsynced() -> [String] {
        let paths = volatilePaths()
        return pendingEffects().map { pending in
            "\(pending.operation): \(pending.effect.summary(paths.path(pending.effect)))"
                + (pending.isUnsyncable ? " (its fsync failed)" : "")
        }
    }

    /// The losses of a choice, one line for each effect that is lost, whole or in part.
    public func lossDescriptions(_ survivors: Survivors) -> [String] { losses(survivors).map(\.description) }

    /// The effects that a choice loses, whole or in part, in trace order.
    public func losses(_ survivors: Survivors) -> [Loss] {
        let paths = volatilePaths()
        return zip(pendingEffects(), survivors.fates).compactMap { pending, fate in
            let extent: Loss.Extent?
            switch fate {
            case .kept: return nil
            case .lost: extent = nil
            case .size(let size): extent = .beyond(sizeBytes: size)
            case .data(let kept): extent = .bytes(Array(pending.pendingBytes.subtracting(kept).ranges))
            }
            return Loss(
                operation: pending.operation, effect: pending.effect, isUnsyncable: pending.isUnsyncable,
                path: paths.path(pending.effect), extent: extent)
        }
    }
}
