import Bytes
import Exploration
import Model

/// The counts of a trace, by kind of event and by file.
package struct TraceStatistics: Sendable, Encodable {
    package struct File: Sendable, Encodable {
        package var writes = 0
        package var writtenBytes: UInt64 = 0
        package var syncs = 0
    }

    package private(set) var events = 0
    package private(set) var operations = 0
    package private(set) var writtenBytes: UInt64 = 0
    package private(set) var barriers = 0
    package private(set) var failedBarriers = 0
    /// The number of barriers without a return at the end of the trace.
    package private(set) var openBarriers = 0
    /// The number of operations without a return at the end of the trace.
    package private(set) var operationsInFlight = 0
    package private(set) var oracleLines = 0
    package private(set) var faults = 0
    package private(set) var byKind: [String: Int] = [:]
    /// By path, as it prints, at the time of the event.
    package private(set) var files: [String: File] = [:]

    package init() {}

    package mutating func count(_ event: TraceEvent, _ line: TraceLine) {
        events += 1
        byKind[line.what, default: 0] += 1
        let path = line.path?.description ?? ""
        switch event {
        case .operation(let operation):
            operations += 1
            if !operation.isComplete { operationsInFlight += 1 }
            if case .write(_, _, let data) = operation.change {
                writtenBytes &+= data.countBytes
                files[path, default: File()].writes += 1
                files[path, default: File()].writtenBytes &+= data.countBytes
            }
        case .completed: operationsInFlight -= 1
        case .barrierBegan:
            barriers += 1
            openBarriers += 1
            if !path.isEmpty { files[path, default: File()].syncs += 1 }
        case .barrierEnded(_, let errno):
            openBarriers -= 1
            if errno != 0 { failedBarriers += 1 }
        case .oracle: oracleLines += 1
        case .fault: faults += 1
        }
    }

    /// The numbers as two tables: of the whole, and of the files, those with the most data first.
    package func tables() -> (whole: Table, files: Table) {
        var whole = Table([.init(""), .init("", .right)])
        whole.add(["events", "\(events)"])
        for (kind, count) in byKind.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
            whole.add(["  \(kind)", "\(count)"])
        }
        whole.add(["bytes written", "\(writtenBytes)"])
        if failedBarriers > 0 { whole.add([.init("barriers that failed", .doubtful), "\(failedBarriers)"]) }
        if openBarriers > 0 { whole.add(["barriers not returned", "\(openBarriers)"]) }
        if operationsInFlight > 0 { whole.add(["operations in flight", "\(operationsInFlight)"]) }
        var table = Table([.init("file"), .init("writes", .right), .init("bytes", .right), .init("syncs", .right)])
        for (path, file) in files.sorted(by: { ($1.value.writtenBytes, $0.key) < ($0.value.writtenBytes, $1.key) }) {
            table.add([.init(path), "\(file.writes)", "\(file.writtenBytes)", "\(file.syncs)"])
        }
        return (whole, table)
    }
}
