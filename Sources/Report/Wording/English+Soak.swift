import Bytes
import Foundation
import Runs

extension English {
    /// `12.0 min  cycle 140  53210 operations  memory 14.2 MB  …  put 45 µs, 99 % 120 µs, most 3.1 ms`
    package func words(for point: SoakResult.Point) -> String {
        var parts = [
            "\(SoakText.decimal(point.seconds / 60)) min", "cycle \(point.cycles)",
            point.acknowledged.counted("operation"),
        ]
        for measure in [SoakMeasure.memory, .descriptors, .threads, .storeBytes, .ownMemory] {
            guard let value = point.value(of: measure) else { continue }
            parts.append("\(SoakText.name(measure)) \(SoakText.value(value, of: measure))")
        }
        for call in SoakText.calls {
            guard let latency = point.latencies[call] else { continue }
            parts.append("\(call) \(SoakText.words(latency))")
        }
        parts.append("recovery \(SoakText.duration(microseconds: point.recoveryMilliseconds * 1000))")
        return parts.joined(separator: ", ")
    }

    func words(for growth: Growth) -> String {
        let name = SoakText.longName(growth.measure)
        let rise = SoakText.value(growth.rise, of: growth.measure)
        switch growth.kind {
        case .leak:
            return "leak: \(name) rise by \(rise) for each thousand operations, in three of four of the last "
                + "\(growth.count) lives of the process"
        case .acrossCycles:
            let clearly = growth.significance.map { ", \(SoakText.decimal($0)) standard deviations" } ?? ""
            return
                "growth: \(name) rose by \(rise) over \(growth.count.counted("cycle")) and do not slow down\(clearly)"
        }
    }
}

/// The names and units of what a soak measures.
enum SoakText {
    /// The calls of a store, in the order of reports.
    static let calls = ["put", "sync", "get"]

    static func name(_ measure: SoakMeasure) -> String {
        switch measure {
        case .memory: "memory"
        case .descriptors: "descriptors"
        case .threads: "threads"
        case .storeBytes: "store"
        case .scratchBytes: "scratch"
        case .ownMemory: "faultline's memory"
        case .ownDescriptors: "faultline's descriptors"
        case .ownThreads: "faultline's threads"
        }
    }

    static func longName(_ measure: SoakMeasure) -> String {
        switch measure {
        case .memory: "the bytes of memory of the store's process"
        case .descriptors: "the open descriptors of the store's process"
        case .threads: "the threads of the store's process"
        case .storeBytes: "the bytes of the store's files"
        case .scratchBytes: "the bytes of the run's scratch files"
        case .ownMemory: "the bytes of Faultline's own memory"
        case .ownDescriptors: "Faultline's own open descriptors"
        case .ownThreads: "Faultline's own threads"
        }
    }

    static func value(_ value: Double, of measure: SoakMeasure) -> String {
        measure.isBytes ? size(value) : decimal(value)
    }

    /// `14.2 MB`
    static func size(_ bytes: Double) -> String {
        for (unit, name) in [(1e9, "GB"), (1e6, "MB"), (1e3, "kB")] where bytes >= unit {
            return "\(decimal(bytes / unit)) \(name)"
        }
        return "\(decimal(bytes)) B"
    }

    /// `45 µs`, `3.1 ms`, `1.2 s`
    static func duration(microseconds: Double) -> String {
        for (unit, name) in [(1e6, "s"), (1e3, "ms")] where microseconds >= unit {
            return "\(decimal(microseconds / unit)) \(name)"
        }
        return "\(decimal(microseconds)) µs"
    }

    static func words(_ latency: LatencySummary) -> String {
        "\(duration(microseconds: latency.p50Microseconds)), 99 % \(duration(microseconds: latency.p99Microseconds)), "
            + "most \(duration(microseconds: latency.maxMicroseconds))"
    }

    /// One digit after the point, unless it is a whole number.
    static func decimal(_ number: Double) -> String {
        let tenths = (number * 10).rounded() / 10
        return tenths == tenths.rounded() ? "\(Int(tenths))" : "\(tenths)"
    }
}
