import Bytes

/// The command line is wrong.
struct UsageError: Error, CustomStringConvertible {
    var description: String
}

/// `STORE workload|recover [--persistent] [--name=value]…`
///
/// Only Faultline calls this program, so its command-line parser is minimal.
struct Arguments {
    enum Role: String { case workload, recover }

    var store: String
    var role: Role
    var isPersistent = false
    private var options: [String: String] = [:]

    init(_ arguments: some Collection<String>) throws {
        var rest = arguments.dropFirst()
        guard let store = rest.popFirst(), let role = rest.popFirst().flatMap(Role.init) else {
            throw UsageError(
                description: "usage: faultline-target STORE workload|recover [--persistent] [--name=value]…")
        }
        self.store = store
        self.role = role
        for argument in rest {
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard argument.hasPrefix("--") else { throw UsageError(description: "unexpected argument: \(argument)") }
            if argument == "--persistent", role == .recover {
                isPersistent = true
            } else if parts.count == 2 {
                options[String(parts[0].dropFirst(2))] = String(parts[1])
            } else {
                throw UsageError(description: "expected --name=value: \(argument)")
            }
        }
    }

    /// Removes and returns the option `name`. It must be one of `allowed`, whose first is the default.
    mutating func take(_ name: String, _ allowed: [String]) throws -> String {
        let value = options.removeValue(forKey: name) ?? allowed[0]
        guard allowed.contains(value) else {
            throw UsageError(
                description: "--\(name) cannot be \(value); allowed: \(allowed.joined(separator: ", "))")
        }
        return value
    }

    /// Removes and returns the option `name`, which may be anything but must be there.
    mutating func take(_ name: String) throws -> String {
        guard let value = options.removeValue(forKey: name) else {
            throw UsageError(description: "--\(name) is missing")
        }
        return value
    }

    /// Throws if there is an unknown option. Call after all `take` calls.
    func finish() throws {
        if let unknown = options.keys.min() {
            throw UsageError(description: "unknown option for \(store): --\(unknown)")
        }
    }
}
