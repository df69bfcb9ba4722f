import Bytes
import Exploration
import FaultFS
import Model
import Runs

/// The I/O errors of a soak: the families of `io-error` whose faults a store must survive whole, in turn, each at a drawn
/// place. Lies and changed bytes are left out, for a store may lose data to them and could not go on.
struct SoakFaults {
    private static let families = FaultFamily.all.filter { $0.guarantee == .everything && !$0.isQuota }
    /// More operations than any life has.
    private static let never: UInt64 = 1 << 40
    /// Where a fault of one file is drawn: a store reads each of its files a few times when it opens.
    private static let readsOfFile: UInt64 = 6

    /// How often each family could fire in the last life that counted.
    private var counts: [FaultFamilyName: UInt64] = [:]
    private var next = 0
    /// Families that the mount refuses.
    private var refused: Set<FaultFamilyName> = []

    /// Rules that fire nowhere and count where they could.
    func countingRules() throws -> [Rule] {
        try counted.map { try $0.rule(Self.never, path: nil) }
    }

    private var counted: [FaultFamily] {
        Self.families.filter { !$0.isOfOneFile && !refused.contains($0.name) }
    }

    /// Takes the counts of a life under `countingRules`.
    mutating func take(_ statuses: [RuleSet.Status]) {
        for (family, status) in zip(counted, statuses) { counts[family.name] = status.matched }
    }

    /// Leaves out the family of a rule that the mount refuses.
    mutating func refuse(_ rule: Rule) throws {
        for family in Self.families {
            if try !family.isOfOneFile && family.rule(Self.never, path: nil) == rule { refused.insert(family.name) }
        }
        if let last = lastFamily, last.isOfOneFile { refused.insert(last.name) }
    }

    private var lastFamily: FaultFamily?

    /// The next fault, at a drawn place; nil if no family can fire.
    ///
    /// - Parameter files: the store's files.
    mutating func draw(_ stream: inout RandomStream, files: [ByteString]) throws -> Rule? {
        for _ in Self.families {
            let family = Self.families[next % Self.families.count]
            next += 1
            guard !refused.contains(family.name) else { continue }
            let count = family.isOfOneFile ? (files.isEmpty ? 0 : Self.readsOfFile) : counts[family.name, default: 0]
            guard count > 0 else { continue }
            lastFamily = family
            let path = family.isOfOneFile ? files[Int(stream.next(upperBound: UInt64(files.count)))] : nil
            return try family.rule(1 + stream.next(upperBound: count), path: path)
        }
        return nil
    }
}
