import Bytes
import Glibc

/// The environment variables of the workload protocol, for targets in any language.
///
/// | variable | meaning | |---|---| | `FAULTLINE_DIR` | the store's directory | | `FAULTLINE_ORACLE` | the file to
/// append oracle lines to | | `FAULTLINE_SEED` | the seed: the same seed gives the same operations | | `FAULTLINE_OPS`
/// | the number of operations | | `FAULTLINE_FIRST_SEQ` | the number of the first operation, default 1; a later cycle
/// on a surviving store continues the numbers, which rise over the whole oracle | | `FAULTLINE_ORACLE_MAY_SHARE` | `1`
/// allows the oracle on the store's filesystem, if only the process is going to fail | | `FAULTLINE_ACKS` | write so
/// many acknowledgements, then wait to be killed; default: no limit | | `FAULTLINE_TIMINGS` | a file for the durations of the
/// store's calls, `put 12345` a line, in nanoseconds (`put`, `sync`, `get`); a workload that writes it also reads a key
/// back after each operation |
package struct WorkloadEnvironment: Hashable, Sendable {
    package var directory: ByteString
    package var oracle: ByteString
    package var seed: UInt64
    package var operationCount: UInt64
    package var firstSeq: UInt64
    package var oracleMayShareFilesystem: Bool
    /// The number of acknowledgements after which the workload waits to be killed; nil for no limit.
    package var acknowledgementLimit: UInt64?
    /// The file for the durations of calls; nil for none.
    package var timings: ByteString?
    /// Has its own variables: see `WorkloadShape`.
    package var shape = WorkloadShape()

    package init(
        directory: ByteString, oracle: ByteString, seed: UInt64, operationCount: UInt64, firstSeq: UInt64 = 1,
        oracleMayShareFilesystem: Bool = false, shape: WorkloadShape = WorkloadShape()
    ) {
        self.shape = shape
        self.directory = directory
        self.oracle = oracle
        self.seed = seed
        self.operationCount = operationCount
        self.firstSeq = firstSeq
        self.oracleMayShareFilesystem = oracleMayShareFilesystem
    }

    /// The environment variables.
    package var variables: [ByteString: ByteString] {
        var variables: [ByteString: ByteString] = [
            "FAULTLINE_DIR": directory, "FAULTLINE_ORACLE": oracle, "FAULTLINE_SEED": ByteString("\(seed)"),
            "FAULTLINE_OPS": ByteString("\(operationCount)"), "FAULTLINE_FIRST_SEQ": ByteString("\(firstSeq)"),
        ]
        if oracleMayShareFilesystem { variables["FAULTLINE_ORACLE_MAY_SHARE"] = "1" }
        if let acknowledgementLimit { variables["FAULTLINE_ACKS"] = ByteString("\(acknowledgementLimit)") }
        if let timings { variables["FAULTLINE_TIMINGS"] = timings }
        return variables.merging(shape.variables) { first, _ in first }
    }

    /// Parses the variables. `lookUp` is `getenv` in a workload process.
    package init(_ lookUp: (ByteString) -> ByteString?) throws(TargetError) {
        func required(_ name: ByteString) throws(TargetError) -> ByteString {
            guard let value = lookUp(name), !value.isEmpty else { throw .variableMissing(name) }
            return value
        }
        func number(_ name: ByteString, _ value: ByteString) throws(TargetError) -> UInt64 {
            guard let number = UInt64(value.description) else { throw .variableNotANumber(name, value) }
            return number
        }
        directory = try required("FAULTLINE_DIR")
        oracle = try required("FAULTLINE_ORACLE")
        seed = try number("FAULTLINE_SEED", required("FAULTLINE_SEED"))
        operationCount = try number("FAULTLINE_OPS", required("FAULTLINE_OPS"))
        firstSeq = try number("FAULTLINE_FIRST_SEQ", lookUp("FAULTLINE_FIRST_SEQ") ?? "1")
        oracleMayShareFilesystem = lookUp("FAULTLINE_ORACLE_MAY_SHARE") == "1"
        acknowledgementLimit = try lookUp("FAULTLINE_ACKS").map { value throws(TargetError) in
            try number("FAULTLINE_ACKS", value)
        }
        timings = lookUp("FAULTLINE_TIMINGS").flatMap { $0.isEmpty ? nil : $0 }
        shape = try WorkloadShape(lookUp)
        guard firstSeq.addingReportingOverflow(operationCount).overflow == false else {
            throw .variableNotANumber("FAULTLINE_FIRST_SEQ", ByteString("\(firstSeq)"))
        }
    }

    package static func ofThisProcess() throws(TargetError) -> WorkloadEnvironment {
        try WorkloadEnvironment { name in name.withCString { getenv($0) }.map { ByteString(cString: $0) } }
    }
}
