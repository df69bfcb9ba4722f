/// One run of a scenario: it counts while it goes, so that what was found stands even if it ends early with an error.
protocol ScenarioRun {
    var tally: RunTally { get }
    mutating func run() throws
}
