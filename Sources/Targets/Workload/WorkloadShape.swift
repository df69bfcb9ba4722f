import Bytes

/// The shape of a workload, besides its seed and length. Targets in any language read it from environment variables.
///
/// | variable | meaning |
/// |---|---|
/// | `FAULTLINE_KEYS` | the approximate number of distinct keys |
/// | `FAULTLINE_KEY_LEN` | bytes of a key, 1 to 512; default: as short as possible |
/// | `FAULTLINE_VALUE_LEN` | bytes of a value, 1 to 65536; default: mixed |
/// | `FAULTLINE_BATCH` | operations in one atomic batch; 1 for none |
/// | `FAULTLINE_THREADS` | client threads |
/// | `FAULTLINE_DURATION` | seconds after which no new operation starts |
package struct WorkloadShape: Hashable, Sendable {
    package var keyCount: UInt64 = 40
    package var keyBytes: Int?
    package var valueBytes: Int?
    package var batchCount = 1
    package var threadCount = 1
    package var durationSeconds: Int?

    /// How many operations a workload of one life may do.
    package static let operationRange = 1...1_000_000
    package static let keyRange = 1...512
    package static let valueRange = 1...65_536
    package static let batchRange = 1...1000
    package static let threadRange = 1...256

    package init() {}

    package var variables: [ByteString: ByteString] {
        var variables: [ByteString: ByteString] = ["FAULTLINE_KEYS": ByteString("\(keyCount)")]
        func add(_ name: ByteString, _ value: Int?) {
            if let value { variables[name] = ByteString("\(value)") }
        }
        add("FAULTLINE_KEY_LEN", keyBytes)
        add("FAULTLINE_VALUE_LEN", valueBytes)
        add("FAULTLINE_BATCH", batchCount == 1 ? nil : batchCount)
        add("FAULTLINE_THREADS", threadCount == 1 ? nil : threadCount)
        add("FAULTLINE_DURATION", durationSeconds)
        return variables
    }

    /// Parses the variables; missing ones have defaults.
    init(_ lookUp: (ByteString) -> ByteString?) throws(TargetError) {
        func number(_ name: ByteString, _ range: ClosedRange<Int>) throws(TargetError) -> Int? {
            guard let text = lookUp(name) else { return nil }
            guard let number = Int(text.description), range.contains(number) else {
                throw .variableNotANumber(name, text)
            }
            return number
        }
        self.init()
        if let keys = try number("FAULTLINE_KEYS", 1...1_000_000_000) { keyCount = UInt64(keys) }
        keyBytes = try number("FAULTLINE_KEY_LEN", WorkloadShape.keyRange)
        valueBytes = try number("FAULTLINE_VALUE_LEN", WorkloadShape.valueRange)
        batchCount = try number("FAULTLINE_BATCH", WorkloadShape.batchRange) ?? 1
        threadCount = try number("FAULTLINE_THREADS", WorkloadShape.threadRange) ?? 1
        durationSeconds = try number("FAULTLINE_DURATION", 1...31_536_000)
    }
}
