import ArgumentParser
import Report
import Scenarios
import Targets

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Says which scenarios work on this machine, and how to enable the rest.",
        discussion: """
            For each scenario that does not work here it names what is missing and the exact command that would enable \
            it. It changes nothing, apart from a trial mount of an empty directory that is gone when it returns.
            """)

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let doctor = Doctor(driver: Self.driver())
        let diagnoses = doctor.diagnose()
        if json {
            try StandardOutput.show(
                Answer(version: Version.text, scenarios: diagnoses, mounting: doctor.mountWays()), .object)
        } else {
            StandardOutput.write(DoctorReport(diagnoses, ways: doctor.mountWays()).text(for: .output))
        }
    }

    private struct Answer: Encodable {
        var version: String
        var scenarios: [Doctor.Diagnosis]
        var mounting: [MountWay]
    }

    static func driver() -> Requirement {
        do throws(TargetError) {
            _ = try TargetCatalog.besideThisProgram()
            return Requirement("built-in targets", met: true, "engine and sqlite are there")
        } catch {
            return Requirement("built-in targets", met: false, "\(error)", remedy: "swift build")
        }
    }
}
