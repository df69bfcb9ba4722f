import Bytes
import Glibc
import Targets

/// The driver of the built-in targets: their workload and recover commands. It also executes litmus scripts.
///
/// Exit codes: 0 success, 1 the store failed or does not open (standard error has the reason), 2 a usage error, or the
/// oracle cannot be written.
@main struct Main {
    static func main() {
        do {
            var arguments = try Arguments(CommandLine.arguments)
            switch arguments.store {
            case "engine", "events": try BuiltInDriver.run(&arguments)
            case "sqlite": try SQLiteDriver.run(&arguments)
            case "litmus": try LitmusDriver.run(&arguments)
            default: throw UsageError(description: "unknown store: \(arguments.store); known: engine, events, sqlite")
            }
        } catch let error where error is UsageError || error is TargetError {
            fail(error, code: 2)
        } catch {
            fail(error, code: 1)
        }
    }

    private static func fail(_ error: any Error, code: Int32) -> Never {
        let line = Array("faultline-target: \("\(error)".printable)\n".utf8)
        _ = line.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
        exit(code)
    }
}
