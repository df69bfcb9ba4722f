/// The version of the program.
enum Version {
    static let text = "faultline 0.1.0"
}
