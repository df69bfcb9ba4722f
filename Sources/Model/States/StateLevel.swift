/// How finely a search of crash states divides what is unsynced. Each level has all states of those before it.
package enum StateLevel: String, CaseIterable, Codable, Comparable, Sendable {
    /// Each write, size, name and attribute is kept or lost as a whole.
    case whole
    /// Besides, each write may be torn: every prefix and every suffix survives, each unit alone is lost, or is kept.
    case torn
    /// Each unit of a write, and each size on the way to its end, is kept or lost by itself.
    case units

    package static func < (left: Self, right: Self) -> Bool {
        allCases.firstIndex(of: left)! < allCases.firstIndex(of: right)!
    }
}
