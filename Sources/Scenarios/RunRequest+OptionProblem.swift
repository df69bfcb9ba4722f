extension RunRequest {
    /// The reason why the request is invalid; nil if it is valid. Does not depend on the machine.
    ///
    /// - Parameters:
    ///   - place: the place of its options; nil for the run of a case.
    ///   - program: the name of this program in commands.
    package func optionProblem(from place: OptionPlace?, program: String) -> OptionProblem? {
        if let own = scenario.fixedProfile, ![.one(own), .one(.ext4Ordered)].contains(requestedProfiles) {
            return OptionProblem(
                "profile",
                "\(option: "profile") is for files; below a filesystem any sector may survive, and the filesystem decides"
            )
        }
        if profiles == .every, !type(of: scenario).takesEveryProfile {
            let takers = ScenarioList.all.filter { $0.takesEveryProfile }.map { $0.name.rawValue }.joined(
                separator: ", ")
            return OptionProblem(
                "profile",
                "\(option: "profile") all is for \(takers); \(scenario.name) works under one profile at a time")
        }
        if shape.threadCount > 1, contract.needsSingleWriter {
            return OptionProblem(
                "contract", "\(option: "contract") \(contract.name) is for one client: several have no single order")
        }
        return scenario.optionProblem(in: self, from: place, program: program)
    }
}
