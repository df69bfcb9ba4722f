import Foundation
import Testing

/// Runs that are stopped before their end, and gone on with: what is said, and what stays behind.
@Suite(.enabled(if: Faultline.path != nil, "the program was not built beside the tests"))
struct StoppedRunTests {
    private let temporary: TemporaryDirectory

    init() throws { temporary = try TemporaryDirectory() }

    private func run(_ arguments: String...) throws -> Faultline.Answer {
        try Faultline.run(arguments, directory: temporary.path)
    }

    /// A line of a shell, as somebody pastes it, from another directory.
    private func paste(_ line: String) throws -> Faultline.Answer {
        try Faultline.run(["-c", line], directory: "/", of: "/bin/sh")
    }

    private func command(after words: String, in text: String) throws -> String {
        let line = try #require(text.split(separator: "\n").first { $0.contains(words) }, "\(text)")
        return String(line[line.range(of: words)!.upperBound...])
    }

    private var runs: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: temporary.path + "/faultline-runs")) ?? []).sorted()
    }

    private func stopped() throws -> (directory: String, resume: String) {
        let answer = try run(
            "explore", "engine", "--ops", "30", "--states", "50", "--set", "planted=ack-before-sync")
        #expect(answer.status == 1, "\(answer)")
        let resume = try command(after: "continue with: ", in: answer.output)
        return (temporary.path + "/faultline-runs/faultline-engine-explore-1-1", resume)
    }

    @Test func `a run that goes on has the cases of the first, which may be gone by then`() throws {
        let (directory, resume) = try stopped()
        let renamed = temporary.path + "/renamed"
        try FileManager.default.moveItem(atPath: directory, toPath: renamed)
        let second = try paste(
            resume.replacing(directory, with: renamed).replacing("--states 50", with: "--states 9999")
                + " --out \(temporary.path)/faultline-runs")
        #expect(second.status == 1, "\(second)")
        try FileManager.default.removeItem(atPath: renamed)
        let replays = second.output.split(separator: "\n").filter { $0.contains(" replay ") }
        #expect(!replays.isEmpty)
        for replay in replays { #expect(try paste(String(replay)).status == 1, "\(replay)") }
    }

    @Test(arguments: ["recorded.trace", "oracle.jsonl", "cases/1"])
    func `what was left and is damaged is an error, whatever was found before`(file: String) throws {
        let (directory, resume) = try stopped()
        let path = directory + "/" + file
        if file == "recorded.trace" {
            var bytes = try Data(contentsOf: URL(filePath: path))
            bytes[300] ^= 1
            try bytes.write(to: URL(filePath: path))
        } else {
            try FileManager.default.removeItem(atPath: path)
        }
        let answer = try paste(resume + " --out \(temporary.path)/faultline-runs")
        #expect(answer.status == 2, "\(answer)")
        #expect((answer.output + answer.error).contains(file), "\(answer)")
    }

    /// A trace that lost its end has fewer states, and passes.
    @Test(arguments: ["recorded.trace", "oracle.jsonl"])
    func `a trace or an oracle that was cut, or is of another run, is an error`(file: String) throws {
        let (directory, resume) = try stopped()
        let path = directory + "/" + file
        let whole = try Data(contentsOf: URL(filePath: path))
        for part in [whole.prefix(whole.count / 4), Data(), whole + whole] {
            try Data(part).write(to: URL(filePath: path))
            let answer = try paste(resume + " --out \(temporary.path)/faultline-runs")
            #expect(answer.status == 2, "\(answer)")
            #expect((answer.output + answer.error).contains("\(file) is damaged, or that of another run"), "\(answer)")
        }
        try FileManager.default.removeItem(atPath: path)
        #expect(mkfifo(path, 0o600) == 0)
        #expect(try paste(resume).status == 2)
    }

    @Test(arguments: ["cases", "cases/1/oracle.jsonl"])
    func `a link in place of the cases, or in one, is refused and not followed`(place: String) throws {
        let (directory, resume) = try stopped()
        let path = directory + "/" + place
        let outside = temporary.path + "/outside"
        try FileManager.default.moveItem(atPath: path, toPath: outside)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: outside)
        let answer = try paste(resume + " --out \(temporary.path)/other")
        #expect(answer.status == 2 && (answer.output + answer.error).contains("symbolic link"), "\(answer)")
    }

    @Test func `what cannot be gone on with begins no run, and the command that can is printed`() throws {
        let (directory, resume) = try stopped()
        let before = runs
        let other = try run("explore", "engine", "--resume", directory)
        #expect(other.status == 2, "\(other)")
        let better = try command(after: "continue with: ", in: other.error)
        #expect(resume.replacing(" --states 50", with: "") == better)
        #expect(runs == before)
        #expect(try paste(better + " --states 9999 --out \(temporary.path)/faultline-runs").status == 1)
        let whole = temporary.path + "/faultline-runs/faultline-engine-explore-1-2"
        let ended = try run("explore", "engine", "--resume", whole)
        #expect(ended.status == 2 && ended.error.contains("came to its end"), "\(ended)")
        #expect(ended.error.hasPrefix("error: ") && !ended.error.contains("Usage"), "\(ended)")
    }

    /// Runs until `isThere`, is interrupted, and answers what it printed.
    private func interrupt(_ arguments: [String], when isThere: () -> Bool) throws -> Faultline.Answer {
        let (process, output, error) = try Faultline.start(arguments, directory: temporary.path)
        while !isThere(), process.isRunning { usleep(10_000) }
        kill(process.processIdentifier, SIGINT)
        process.waitUntilExit()
        return Faultline.Answer(
            status: process.terminationStatus,
            output: String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self),
            error: String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self))
    }

    @Test func `an exploration that is interrupted prints its result and how to go on`() throws {
        let trace = temporary.path + "/faultline-runs/faultline-engine-explore-1-1/recorded.trace"
        let answer = try interrupt(
            ["explore", "engine", "--ops", "2000", "--epoch-states", "100000000"],
            when: { FileManager.default.fileExists(atPath: trace) })
        #expect(answer.status == 130, "\(answer)")
        #expect(answer.output.contains("interrupted") && answer.output.contains("everything is in "), "\(answer)")
    }

    @Test func `a matrix that is interrupted prints what was done and how to go on`() throws {
        try "cells:\n  - {target: engine, scenario: kill, ops: 150, seed: 1-200}\n".write(
            toFile: temporary.path + "/m.yaml", atomically: true, encoding: .utf8)
        let answer = try interrupt(["matrix", "m.yaml"], when: { runs.count > 3 })
        #expect(answer.status == 130, "\(answer)")
        #expect(answer.output.contains(" of 200 cells came out as expected"), "\(answer)")
        let resume = try command(after: "continue with: ", in: answer.error)
        #expect(resume.contains("matrix m.yaml --resume "), "\(answer)")
    }

    @Test func `a benchmark that is interrupted leaves nothing, and cleanup finds what one left that was killed`()
        throws
    {
        let space = temporary.path + "/space"
        try FileManager.default.createDirectory(atPath: space, withIntermediateDirectories: false)
        func left() -> [String] { (try? FileManager.default.contentsOfDirectory(atPath: space)) ?? [] }
        let bench = ["bench", "engine", "--directory", space, "--rounds", "1000"]
        #expect(try interrupt(bench, when: { !left().isEmpty }).status == 130)
        #expect(left().isEmpty)
        let (process, _, _) = try Faultline.start(bench, directory: temporary.path)
        while process.isRunning,
            left().isEmpty
                || !FileManager.default.fileExists(
                    atPath: "\(space)/\(left().first ?? "")/work")
        { usleep(10_000) }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        let answer = try run("cleanup", "--out", "space")
        #expect(answer.output.contains("removed") && left().isEmpty, "\(answer)")
    }
}
