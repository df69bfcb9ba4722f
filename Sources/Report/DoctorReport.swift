import Machine
import Scenarios

/// The doctor's findings for people: a table of the scenarios, the ways to mount, then the remedies.
package struct DoctorReport {
    private let diagnoses: [Doctor.Diagnosis]
    private let ways: [MountWay]
    private let sandbox: SandboxDiagnosis?

    package init(_ diagnoses: [Doctor.Diagnosis], ways: [MountWay], sandbox: SandboxDiagnosis? = nil) {
        self.diagnoses = diagnoses
        self.ways = ways
        self.sandbox = sandbox
    }

    package func text(for terminal: Terminal) -> String {
        var table = Table([.init("scenario"), .init("here"), .init("what it does")])
        for diagnosis in diagnoses {
            table.add([.init(diagnosis.scenario), Self.state(diagnosis), .init(diagnosis.summary)])
        }
        let remedies = remedies(for: terminal)
        return table.text(for: terminal) + "\n" + mounts(for: terminal)
            + sandboxes(for: terminal)
            + (remedies.isEmpty ? "" : "\nMissing here, and what would enable it:\n\n" + remedies)
    }

    /// The way to mount here, the other working ways, and what the rest lack.
    private func mounts(for terminal: Terminal) -> String {
        var table = Table([.init("mounting"), .init("here"), .init("command, or what would enable it")])
        for way in ways {
            let missing = way.requirements.filter { !$0.isMet }
            let state: Table.Cell =
                switch (way.isOurs, missing.isEmpty) {
                case (true, true): .init("used here", .good)
                case (true, false): .init("does not work", .bad)
                case (false, true): .init("possible", .good)
                case (false, false): .init("not possible", .faint)
                }
            let remedies = missing.map { "\($0.name): \($0.finding): " + ($0.remedy ?? "none known") }
            table.add([
                .init(way.name), state, .init(missing.isEmpty ? way.command : remedies.joined(separator: "; ")),
            ])
        }
        return table.text(for: terminal)
    }

    /// The sandbox for untrusted cases, and what it lacks.
    private func sandboxes(for terminal: Terminal) -> String {
        guard let sandbox else { return "" }
        var table = Table([.init("sandbox"), .init("here"), .init("for cases and states from elsewhere")])
        for layer in sandbox.requirements {
            let state: Table.Cell = layer.isMet ? .init("works", .good) : .init("does not work", .bad)
            let remedy = layer.remedy.map { "\(layer.finding): \($0)" } ?? layer.finding
            table.add([.init(layer.name), state, .init(remedy)])
        }
        let rest = "Without a mount namespace, states with links that lead out of them are refused.\n"
        return "\n" + table.text(for: terminal) + (sandbox.works ? "" : rest)
    }

    private static func state(_ diagnosis: Doctor.Diagnosis) -> Table.Cell {
        switch (diagnosis.isPossible, diagnosis.isInThisVersion) {
        case (true, true): .init("works", .good)
        case (true, false): .init("not in this version yet", .faint)
        case (false, true): .init("does not work", .bad)
        case (false, false): .init("not in this version yet; would not work", .faint)
        }
    }

    /// Each missing requirement once, with the scenarios that need it.
    private func remedies(for terminal: Terminal) -> String {
        var missing: [Requirement] = []
        for requirement in diagnoses.flatMap(\.requirements) where !requirement.isMet {
            if !missing.contains(requirement) { missing.append(requirement) }
        }
        var table = Table([.init("what"), .init("for"), .init("found"), .init("command")])
        for requirement in missing {
            let waiting = diagnoses.filter { $0.requirements.contains(requirement) }.map(\.scenario)
            table.add([
                .init(requirement.name), .init(waiting.joined(separator: ", ")), .init(requirement.finding),
                .init(requirement.remedy ?? "none known"),
            ])
        }
        return missing.isEmpty ? "" : table.text(for: terminal)
    }
}
