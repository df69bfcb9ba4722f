/// One part of an operation that a crash state lacks, or of which it lacks some.
public struct Loss: Hashable, Sendable {
    public var operation: OperationID
    public var effect: Effect
    /// A barrier over it failed: no later barrier makes it durable.
    public var isUnsyncable: Bool
    /// What it is: `write a.db, bytes 4096-8192`.
    public var what: String
    /// What of it is lost when some of it survived: `of which 4096-4608`.
    public var extent: String?

    /// Some of it survived.
    public var isTorn: Bool { extent != nil }
}

extension Loss: CustomStringConvertible {
    public var description: String { "\(operation): \(what)" + (extent.map { ", \($0)" } ?? "") }
}
