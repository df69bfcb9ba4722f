import Bytes
import Foundation
import Oracle
import Targets

/// Runs requests in run directories of their own, and cleans up whatever happens: at the end, after an error, and when
/// somebody presses Ctrl-C.
package struct RunSession: Sendable {
    /// Where run directories are made.
    package var parent: ByteString
    /// How commands name this program.
    package var program: String
    private let interruption: Interruption

    package init(parent: ByteString, program: String, interruption: Interruption = .shared) {
        self.parent = parent
        self.program = program
        self.interruption = interruption
    }

    package func run(
        _ request: RunRequest, progress: @escaping @Sendable (String) -> Void = { _ in }
    ) -> RunResult {
        let runner = ScenarioRunner(program: program)
        do {
            let directory = try RunDirectory(
                in: parent, target: request.target.target.name, scenario: request.scenario.rawValue, seed: request.seed)
            let ended = DispatchSemaphore(value: 0)
            // A run looks at `isInterrupted` and unmounts by itself; the process must not end before it did.
            let cleaner = interruption.register { _ = ended.wait(timeout: .now() + 20) }
            defer {
                ended.signal()
                cleaner.cancel()
            }
            let context = try RunContext(
                directory, shouldStop: { interruption.isInterrupted }, progress: progress)
            let result = runner.run(request, context)
            try directory.writeReproduceScript(runner.arguments(request).map { ByteString($0) })
            try write(result, to: directory)
            try directory.finish()
            return result
        } catch {
            return runner.failed(request, "\(error)")
        }
    }

    private func write(_ result: RunResult, to directory: RunDirectory) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let text = Array(try encoder.encode(result)) + [UInt8(ascii: "\n")]
        try RunFiles.append(text, to: directory.path.appending(component: "result.json"))
    }
}
