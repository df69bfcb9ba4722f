/// How commands that we print name this program: as it was called, so that they can be pasted.
enum ProgramName {
    static var shown: String { CommandLine.arguments.first ?? "faultline" }
}
