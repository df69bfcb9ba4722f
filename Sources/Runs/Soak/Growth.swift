/// Growth without bound.
package struct Growth: Codable, Hashable, Sendable {
    package enum Kind: String, Codable, Sendable {
        /// It rises with the operations of each life: a leak of the store's process. `rise` is for a thousand operations.
        case leak
        /// It rises from cycle to cycle and does not slow down. `rise` is over the observed window.
        case acrossCycles
    }

    package var kind: Kind
    package var measure: SoakMeasure
    package var rise: Double
    /// The number of lives or cycles that show it.
    package var count: Int
    /// How clearly it rises, in standard deviations; nil for a leak.
    package var significance: Double?
}
