/// The commands of `.faultline/control`.
struct Commands: Sendable {
    let recorder: Recorder

    func run(_ line: String) throws(Refusal) -> String {
        let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
        switch (words.first, words.count) {
        case ("crash", 1): return recorder.freeze(.asked) ? "ok" : "ok, the power was gone before"
        case ("status", 1): return status
        default: throw Refusal(reason: "'\(line)' is no command; there are: crash, status")
        }
    }

    /// One `name value` a line.
    var status: String {
        let counts = recorder.recorded
        return """
            power \(recorder.isFrozen ? "off" : "on")
            recording \(recorder.isRecording ? "yes" : "no")
            events \(counts.events)
            operations \(counts.operations)
            barriers \(counts.barriers)
            oracle-lines \(counts.oracleLines)
            """
    }
}
