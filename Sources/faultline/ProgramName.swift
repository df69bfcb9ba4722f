import Bytes

/// How commands that we print name this program: as it was called where PATH finds it, else by its whole path, so that
/// they can be pasted anywhere.
enum ProgramName {
    static let shown: String = {
        let called = CommandLine.arguments.first ?? "faultline"
        guard called.contains("/"), !called.hasPrefix("/") else { return called }
        let directory = (try? ArgumentPath.existing(".")) ?? "."
        let path = called.trimmingPrefix("./")
        return directory == "/" ? "/\(path)" : "\(directory)/\(path)"
    }()
}
