import Bytes

extension PendingSet {
    /// What a crash could lose now, a line for each part, in trace order: `op 12: write a.db, bytes 4096-8192`.
    public func unsynced() -> [String] {
        let paths = volatilePaths()
        return pendingEffects().map { part in
            "\(part.operation): \(part.effect.words(paths.path(part.effect)))"
                + (part.isUnsyncable ? " (its fsync failed)" : "")
        }
    }

    /// What a choice loses, a line for each part that is not whole.
    public func story(_ survivors: Survivors) -> [String] { losses(survivors).map(\.description) }

    /// What a choice loses: each part that is not whole, in trace order.
    public func losses(_ survivors: Survivors) -> [Loss] {
        let paths = volatilePaths()
        return zip(pendingEffects(), survivors.fates).compactMap { part, fate in
            let extent: Loss.Extent?
            switch fate {
            case .kept: return nil
            case .lost: extent = nil
            case .size(let size): extent = .beyond(sizeBytes: size)
            case .data(let kept): extent = .bytes(Array(part.pendingBytes.subtracting(kept).ranges))
            }
            return Loss(
                operation: part.operation, effect: part.effect, isUnsyncable: part.isUnsyncable,
                path: paths.path(part.effect), extent: extent)
        }
    }
}
