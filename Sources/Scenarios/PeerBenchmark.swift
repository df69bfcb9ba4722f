import Bytes
import Foundation

/// Another store, measured by the benchmark that comes with it: `db_bench` of LevelDB or of RocksDB.
package struct PeerBenchmark {
    package var name: String
    /// What its `db_bench --help`, or the first lines of a run, say that another's do not.
    private var mark: String
    private var program: String

    package static let all = [
        PeerBenchmark(name: "LevelDB, sync on (db_bench)", mark: "LevelDB:", program: "db_bench"),
        PeerBenchmark(name: "RocksDB, sync on (db_bench)", mark: "RocksDB:", program: "db_bench"),
    ]

    /// The peers that are not installed here, so that their absence is said.
    package static var absent: [String] { all.filter { $0.path == nil }.map(\.name) }

    private var path: String? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return folders.map { "\($0)/\(program)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Nil when it is not installed, or the program of that name is another's.
    func durablePutsPerSecond(in directory: ByteString, count: Int) throws -> Double? {
        guard let path else { return nil }
        let process = Process()
        process.executableURL = URL(filePath: path)
        let folder = String(decoding: directory.bytes, as: UTF8.self) + "/db_bench"
        // LevelDB's fillsync does a thousandth of what it is asked for; RocksDB's fillrandom syncs on request.
        let workload =
            mark == "LevelDB:"
            ? ["--benchmarks=fillsync", "--num=\(count * 1000)"]
            : ["--benchmarks=fillrandom", "--sync=1", "--num=\(count)"]
        process.arguments = workload + ["--value_size=128", "--db=\(folder)"]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        guard text.contains(mark) else { return nil }
        guard let found = text.firstMatch(of: #/fill\w+\s*:\s*([0-9.]+) micros/op/#), let micros = Double(found.1),
            micros > 0
        else { throw YardstickError(description: "\(path) printed no time a put:\n\(text.prefix(400))") }
        return 1e6 / micros
    }
}
