import Runs
import Testing

struct TrendTests {
    @Test func `the slope ignores a few wrong values`() throws {
        var points = (0..<50).map { (x: Double($0), y: 3 * Double($0) + 7) }
        for index in [3, 17, 40] { points[index].y = 1e9 }
        #expect(abs(try #require(Trend.slope(points)) - 3) < 0.01)
        #expect(Trend.slope([(x: 1, y: 2)]) == nil)
        #expect(Trend.slope([(x: 1, y: 2), (x: 1, y: 9)]) == nil)
    }

    @Test func `a constant has no trend, and a rise has a clear one`() {
        #expect(Trend.significance(Array(repeating: 5, count: 40)) == 0)
        #expect(Trend.significance((0..<40).map(Double.init)) > 8)
        #expect(Trend.significance((0..<40).map { -Double($0) }) < -8)
        #expect(abs(Trend.significance((0..<40).map { Double($0 % 2) })) < 1)
    }

    @Test func `a condensed series keeps its order and its level`() {
        let values = (0..<1000).map(Double.init)
        let condensed = Trend.condensed(values, to: 10)
        #expect(condensed.count == 10 && condensed == condensed.sorted())
        #expect(condensed.first == 49.5 && condensed.last == 949.5)
        #expect(Trend.condensed([1, 2], to: 10) == [1, 2])
    }

    @Test func `percentiles are at most 6 percent too long`() throws {
        var histogram = LatencyHistogram()
        for nanoseconds in 1...100_000 { histogram.add(nanoseconds: UInt64(nanoseconds)) }
        for (percent, exact) in [(50.0, 50_000.0), (99, 99_000), (100, 100_000)] {
            let found = Double(histogram.nanoseconds(percent: percent))
            #expect((exact...exact * 1.0625).contains(found), "\(percent) %: \(found)")
        }
        #expect(try #require(histogram.summary).maxMicroseconds == 100)
        #expect(LatencyHistogram().summary == nil)
        var edges = LatencyHistogram()
        for nanoseconds in [0, 15, 16, 17, UInt64.max] { edges.add(nanoseconds: nanoseconds) }
        #expect(edges.count == 5 && edges.nanoseconds(percent: 100) == .max)
    }
}
