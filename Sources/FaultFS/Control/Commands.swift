import Bytes
import Model
import Platform

/// The commands of `.faultline/control`.
///
/// Threading: thread safe; runs the commands of one write at a time.
final class Commands: Sendable {
    private let recorder: Recorder
    private let faults: FaultInjector
    private let defaultCut: CutRequest
    /// Cuts the power and returns a report of the loss.
    private let crash: @Sendable (CutRequest) throws(CommandError) -> String
    /// Drops clean pages, so that programs read what storage holds.
    private let evict: @Sendable () -> Void
    /// Asks the serving process to unmount; nil when the mount belongs to a run.
    private let unmount: (@Sendable () -> Void)?
    /// Additional status lines.
    private let labels: @Sendable () -> [String]
    private let lock = Lock()

    private static let help = "commands: add RULE, remove N, clear, rules, status, evict, crash, unmount"

    /// A parsed and checked command.
    private enum Command {
        case add(Rule)
        case remove(UInt64)
        case crash(CutRequest)
        case unmount(@Sendable () -> Void)
        case clear, rules, status, evict
    }

    init(
        recorder: Recorder, faults: FaultInjector, defaultCut: CutRequest,
        crash: @escaping @Sendable (CutRequest) throws(CommandError) -> String, evict: @escaping @Sendable () -> Void,
        unmount: (@Sendable () -> Void)?, labels: @escaping @Sendable () -> [String]
    ) {
        self.recorder = recorder
        self.faults = faults
        self.defaultCut = defaultCut
        self.crash = crash
        self.evict = evict
        self.unmount = unmount
        self.labels = labels
    }

    /// Checks all lines of a write, then runs them in order. Returns one answer line per command.
    ///
    /// - Throws: the first command that fails the check; then none has run. A crash state that cannot be written only
    ///   shows when the command runs: then the commands before it have run.
    func run(_ lines: [String]) throws(CommandError) -> String {
        try lock.withLock { () throws(CommandError) in
            var answers: [String] = []
            for command in try parseAll(lines) { answers.append(try execute(command)) }
            return answers.joined(separator: "\n")
        }
    }

    private func parseAll(_ lines: [String]) throws(CommandError) -> [Command] {
        var commands: [Command] = []
        do throws(CommandError) {
            for line in lines { commands.append(try parse(line)) }
        } catch {
            throw Self.error(error, index: commands.count, of: lines.count)
        }
        try checkRuleNumbers(commands)
        return commands
    }

    /// Rejects a `remove` of a rule that will not exist when that line runs.
    private func checkRuleNumbers(_ commands: [Command]) throws(CommandError) {
        guard commands.contains(where: { if case .remove = $0 { true } else { false } }) else { return }
        var (numbers, next) = faults.ruleNumbers
        for (index, command) in commands.enumerated() {
            switch command {
            case .add:
                numbers.insert(next)
                next += 1
            case .clear: numbers = []
            case .remove(let number):
                guard numbers.remove(number) == nil else { continue }
                throw Self.error(Self.noRule("\(number)"), index: index, of: commands.count)
            case .crash, .unmount, .rules, .status, .evict: continue
            }
        }
    }

    private static func error(_ error: CommandError, index: Int, of count: Int) -> CommandError {
        guard count > 1 else { return error }
        return CommandError(
            reason: "\(error.reason)\nthis was command \(index + 1) of \(count); none was run")
    }

    private func parse(_ line: String) throws(CommandError) -> Command {
        let words = line.split(maxSplits: 1, whereSeparator: { $0 == " " || $0 == "\t" })
        let rest = words.count > 1 ? String(words[1]) : ""
        switch (words.first, rest.isEmpty) {
        case ("crash", _): return .crash(try CutRequest(parsing: rest, defaults: defaultCut))
        case ("status", true): return .status
        case ("rules", true): return .rules
        case ("clear", true): return .clear
        case ("evict", true): return .evict
        case ("unmount", true):
            guard let unmount else { throw CommandError(reason: "this mount belongs to a run, which will unmount it") }
            return .unmount(unmount)
        case ("add", false):
            let rule: Rule
            do throws(RuleError) { rule = try Rule(parsing: rest) } catch { throw CommandError(reason: "\(error)") }
            try faults.check(rule)
            return .add(rule)
        case ("remove", false):
            guard let number = UInt64(rest) else { throw Self.noRule(rest) }
            return .remove(number)
        default: throw CommandError(reason: "'\(CommandError.excerpt(line))' is not a command; \(Self.help)")
        }
    }

    private static func noRule(_ number: String) -> CommandError {
        CommandError(reason: "there is no rule number '\(CommandError.excerpt(number))'")
    }

    private func execute(_ command: Command) throws(CommandError) -> String {
        switch command {
        case .add(let rule): return "rule \(try faults.add(rule))"
        case .remove(let number): guard faults.remove(number) else { throw Self.noRule("\(number)") }
        case .crash(let request): return try crash(request)
        case .unmount(let unmount): unmount()
        case .clear: faults.removeAll()
        case .evict: evict()
        case .rules: return String(faults.status.dropLast())
        case .status: return status
        }
        return "ok"
    }

    /// Lines `name value`.
    var status: String {
        let counts = recorder.recorded
        let lines =
            [
                "power \(recorder.freezeReason.map { "off, \($0)" } ?? "on")",
                "recording \(recorder.isRecording ? "yes" : "no")",
                "events \(counts.events)", "operations \(counts.operations)", "barriers \(counts.barriers)",
                "oracle-lines \(counts.oracleLines)", "faults \(faults.faults.count)",
            ] + labels()
        return lines.joined(separator: "\n")
    }
}
