import Bytes
import Machine
import Runs

/// Removes paths of this machine from results, so that they can be published and moved.
extension RunResult {
    /// Makes paths relative to the parent of run directories, names the program `faultline`, and refers to a manifest
    /// in the working directory.
    package func withoutLocalPaths(program: String, _ request: RunRequest) -> RunResult {
        var places = [(program, "faultline")]
        if let directory { places.append((RunResult.folder(of: directory), "")) }
        if let manifest = request.target.target.manifest {
            places.append((RunResult.folder(of: manifest.path.shown), "./"))
        }
        func shortened(_ text: String) -> String { places.reduce(text) { $0.replacing($1.0, with: $1.1) } }
        var result = self
        result.reason = reason.map(shortened)
        result.directory = directory.map(shortened)
        result.command = shortened(command)
        result.resume = resume.map(shortened)
        for index in findings.indices {
            result.findings[index].story = shortened(findings[index].story)
            result.findings[index].account = findings[index].account?.rewording(shortened)
            result.findings[index].case = findings[index].case.map(shortened)
            result.findings[index].replay = findings[index].replay.map(shortened)
            result.findings[index].recheck = findings[index].recheck.map(shortened)
        }
        result.unstable = unstable?.map { state in
            var state = state
            (state.case, state.replay) = (state.case.map(shortened), state.replay.map(shortened))
            return state
        }
        return result
    }

    /// The reverse of `withoutLocalPaths`, for a result read from a file in `folder` (which ends with a slash): printed
    /// commands work on this machine.
    package func resolvingLocalPaths(in folder: String, program: String) -> RunResult {
        func resolved(_ path: String) -> String { path.hasPrefix("/") ? path : folder + path }
        var result = self
        result.directory = directory.map(resolved)
        if let path = directory, let resume {
            let words = resume.replacing(path, with: ReproduceScript.quoted(resolved(path)))
            result.resume = words.replacing("faultline ", with: program + " ", maxReplacements: 1)
        }
        func resolved(_ path: String?, _ command: String?) -> (case: String?, command: String?) {
            guard let path else { return (nil, command) }
            let words = command?.replacing(path, with: ReproduceScript.quoted(resolved(path)))
            return (resolved(path), words?.replacing("faultline ", with: program + " ", maxReplacements: 1))
        }
        for index in findings.indices {
            (result.findings[index].case, result.findings[index].replay) = resolved(
                findings[index].case, findings[index].replay)
            result.findings[index].recheck = resolved(findings[index].case, findings[index].recheck).command
        }
        result.unstable = unstable?.map { state in
            var state = state
            (state.case, state.replay) = resolved(state.case, state.replay)
            return state
        }
        return result
    }

    /// Replaces `./NAME`, which `withoutLocalPaths` wrote, with the path of the manifest in commands.
    package func naming(manifest path: String) -> RunResult {
        let name = "./" + (path.split(separator: "/").last ?? "")
        func named(_ command: String) -> String {
            command.replacing(ReproduceScript.quoted(name), with: ReproduceScript.quoted(path))
        }
        var result = self
        result.command = named(command)
        result.resume = resume.map(named)
        for index in findings.indices {
            result.findings[index].replay = findings[index].replay.map(named)
            result.findings[index].recheck = findings[index].recheck.map(named)
        }
        result.unstable = unstable?.map { state in
            var state = state
            state.replay = state.replay.map(named)
            return state
        }
        return result
    }
}
