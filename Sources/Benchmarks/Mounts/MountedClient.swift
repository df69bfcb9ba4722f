import Bytes
import CYardsticks

/// The client of `faultline bench mount`: what it does in a directory, and how fast that went.
///
/// The calls are made by plain C in this process, which is never the one that serves the directory.
struct MountedClient {
    /// The operations measured, in order.
    package enum Measure: String, CaseIterable {
        case append = "4 KiB append + fsync"
        case overwriteSmall = "4 KiB overwrite + fdatasync, 64 MiB file"
        case overwriteLarge = "4 KiB overwrite + fdatasync, 256 MiB file"
        case sequential = "1 MiB sequential write"
        case readCold = "4 KiB random read, cold"
        case readWarm = "4 KiB random read, warm"
        case create
        case unlink
        case replace = "tmp + fsync + rename + fsyncdir"

        package var unit: String { self == .sequential ? "MiB/s" : "/s" }
    }

    package let directory: ByteString
    /// The duration of each measurement, in seconds.
    package let seconds: Double

    /// The rate of each operation, per second.
    package func rates() throws -> [Measure: Double] {
        var rates: [Measure: Double] = [:]
        func note(_ measure: Measure, _ rate: Double) throws {
            guard rate > 0 else {
                throw YardstickError(description: "\(directory): \(measure.rawValue): errno \(Int(-rate))")
            }
            rates[measure] = rate
        }
        let forAWhile = client_limit(seconds: seconds, count: .max)
        let (file, large) = (path("file"), path("large"))
        try note(.append, path("log").withCString { client_append($0, forAWhile) })
        _ = try written(file, mebibytes: 64)
        try note(.overwriteSmall, file.withCString { client_overwrite($0, forAWhile) })
        let reads = file.withCString { client_read($0, forAWhile) }
        try note(.readCold, reads.cold)
        try note(.readWarm, reads.warm)
        try note(.sequential, written(large, mebibytes: 256))
        try note(.overwriteLarge, large.withCString { client_overwrite($0, forAWhile) })
        let names = directory.withCString { client_names($0, UInt64(max(100, seconds * 5000))) }
        try note(.create, names.create)
        try note(.unlink, names.unlink)
        try note(.replace, directory.withCString { client_replace($0, forAWhile) })
        return rates
    }

    private func path(_ name: ByteString) -> ByteString { directory.appending(component: name) }

    private func written(_ path: ByteString, mebibytes: UInt64) throws -> Double {
        let rate = path.withCString { client_write_mebibytes($0, client_limit(seconds: 60, count: mebibytes)) }
        guard rate > 0 else { throw YardstickError(description: "\(path): errno \(Int(-rate))") }
        return rate
    }
}
