import ArgumentParser
import Machine
import Report
import Scenarios
import Targets

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Says which scenarios work on this machine, and how to enable the rest.",
        discussion: """
            For each scenario that does not work here it names what is missing and the exact command that would enable \
            it, and whether cases that come from elsewhere can be recovered in a sandbox. It changes nothing, apart from a \
            trial mount of an empty directory and a process in a trial sandbox, which are gone when it returns.
            """)

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let doctor = Doctor(driver: Self.driver())
        let diagnoses = doctor.diagnose(ScenarioList.subjects)
        if json {
            try StandardOutput.show(
                Answer(
                    version: Version.text, scenarios: diagnoses, mounting: doctor.mountWays(),
                    sandbox: doctor.sandbox()), .object)
        } else {
            let report = DoctorReport(diagnoses, ways: doctor.mountWays(), sandbox: doctor.sandbox())
            StandardOutput.write(report.text(for: .output))
        }
    }

    private struct Answer: Encodable {
        var version: String
        var scenarios: [Doctor.Diagnosis]
        var mounting: [MountWay]
        var sandbox: SandboxDiagnosis
    }

    static func driver() -> Requirement {
        do throws(TargetError) {
            let names = try TargetCatalog.besideThisProgram().builtIn.map(\.name).joined(separator: ", ")
            return Requirement("built-in targets", met: true, "\(names) are there")
        } catch {
            return Requirement("built-in targets", met: false, "\(error)", remedy: "swift build")
        }
    }
}
