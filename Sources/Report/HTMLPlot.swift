import Foundation
import Runs

/// A small plot of a value over time: points in a box of 600 by 100.
struct HTMLPlot {
    var name: String
    var polyline: String
    var lowest: String
    var highest: String
    var last: String
    var until: String

    /// Nil with fewer than two points.
    init?(_ name: String, _ points: [(seconds: Double, value: Double)], _ words: (Double) -> String) {
        guard points.count > 1, let end = points.last, end.seconds > 0 else { return nil }
        let values = points.map(\.value)
        let (low, high) = (values.min() ?? 0, values.max() ?? 0)
        self.name = name
        // From zero, so that noise does not look like growth.
        polyline = points.map { point in
            let y = high > 0 ? 100 - 96 * point.value / high : 100
            return "\(Self.text(600 * point.seconds / end.seconds)),\(Self.text(y))"
        }.joined(separator: " ")
        (lowest, highest, last) = (words(low), words(high), words(end.value))
        until = "\(SoakText.decimal(end.seconds / 60)) min"
    }

    private static func text(_ number: Double) -> String { "\((number * 10).rounded() / 10)" }

    /// The plots of a soak: what was used, and how long calls and recoveries took.
    static func all(of soak: SoakResult) -> [HTMLPlot] {
        var plots = SoakMeasure.allCases.compactMap { measure in
            HTMLPlot(
                SoakText.name(measure),
                soak.points.compactMap { point in point.value(of: measure).map { (point.seconds, $0) } }
            ) { SoakText.value($0, of: measure) }
        }
        let recovery = HTMLPlot("recovery", soak.points.map { ($0.seconds, $0.recoveryMilliseconds * 1000) }) {
            SoakText.duration(microseconds: $0)
        }
        plots += [recovery].compactMap(\.self)
        for call in SoakText.calls {
            let kinds: [(String, @Sendable (LatencySummary) -> Double)] = [
                ("median", { $0.p50Microseconds }), ("99 %", { $0.p99Microseconds }), ("most", { $0.maxMicroseconds }),
            ]
            for (kind, value) in kinds {
                let points = soak.points.compactMap { point in
                    point.latencies[call].map { (seconds: point.seconds, value: value($0)) }
                }
                if let plot = HTMLPlot("\(call), \(kind)", points, { SoakText.duration(microseconds: $0) }) {
                    plots.append(plot)
                }
            }
        }
        return plots
    }
}
