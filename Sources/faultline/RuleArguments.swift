import ArgumentParser
import Bytes
import Machine
import Model
import Scenarios

/// Parses rules given on the command line.
enum RuleArguments {
    /// The rules of `--rule`, then those of the file.
    static func rules(_ texts: [String], file: ByteString?) throws -> [Rule] {
        var rules: [Rule] = []
        for text in texts {
            do throws(RuleError) { rules.append(try Rule(parsing: text)) } catch {
                throw ValidationError("--rule: \(error)")
            }
        }
        return rules + (try file.map { try RuleFile.rules($0) } ?? [])
    }
}
