import Bytes

/// The program name in printed commands: as called if PATH finds it, else its full path, so that they can be pasted
/// anywhere.
enum ProgramName {
    static let shown: String = {
        let called = CommandLine.arguments.first ?? "faultline"
        guard called.contains("/"), !called.hasPrefix("/") else { return called }
        let directory = (try? ArgumentPath.existing(".")) ?? "."
        let path = called.trimmingPrefix("./")
        return directory == "/" ? "/\(path)" : "\(directory)/\(path)"
    }()
}
