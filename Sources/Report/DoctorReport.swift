import Scenarios

/// The doctor's findings for people: a table of the scenarios, then what would enable those that do not work.
package struct DoctorReport {
    private let diagnoses: [Doctor.Diagnosis]

    package init(_ diagnoses: [Doctor.Diagnosis]) { self.diagnoses = diagnoses }

    package func text(for terminal: Terminal) -> String {
        var table = Table([.init("scenario"), .init("here"), .init("what it does")])
        for diagnosis in diagnoses {
            table.add([.init(diagnosis.scenario), Self.state(diagnosis), .init(diagnosis.summary)])
        }
        let remedies = remedies(for: terminal)
        return table.text(for: terminal)
            + (remedies.isEmpty ? "" : "\nMissing here, and what would enable it:\n\n" + remedies)
    }

    private static func state(_ diagnosis: Doctor.Diagnosis) -> Table.Cell {
        switch (diagnosis.isPossible, diagnosis.isInThisVersion) {
        case (true, true): .init("works", .good)
        case (true, false): .init("not in this version yet", .faint)
        case (false, true): .init("does not work", .bad)
        case (false, false): .init("not in this version yet; would not work", .faint)
        }
    }

    /// Each missing thing once, with the scenarios that wait for it.
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
