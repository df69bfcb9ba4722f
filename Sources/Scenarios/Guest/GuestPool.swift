import Bytes
import Guest
import Machine
import Platform
import Runs
import Storage

/// The guests of this process. Starting one takes seconds, so that a matrix keeps them for its next cells. Thread safe.
package final class GuestPool: Sendable {
    private struct Kept: Sendable {
        var machine: GuestMachine
        var session: GuestSession
        var scratch: ScratchDirectory
    }

    private let keptAtMost: Int
    private let idle = Guarded<[Kept]>([])

    /// - Parameter count: so many guests are kept when they have nothing to do. Call `end` when there is nothing left to do.
    package init(keeping count: Int = 0) { keptAtMost = count }

    /// Runs a task in a guest that nobody else uses, and ends with `body`, which sees what the task has brought.
    package func run<Result>(
        _ task: GuestTask, on machine: GuestMachine, shouldStop: () -> Bool,
        output: (GuestMachine.Stream, [UInt8]) -> Void, _ body: (GuestOutcome) throws -> Result
    ) throws -> Result {
        let known = idle.withLock { idle -> Kept? in
            idle.firstIndex { $0.machine == machine && $0.session.isUp }.map { idle.remove(at: $0) }
        }
        let guest: Kept
        if let known {
            guest = known
        } else {
            let scratch = try ScratchDirectory()
            do {
                let place = scratch.path.appending(component: "guest")
                try RunFiles.makeDirectory(place)
                switch try machine.start(in: place, shouldStop: shouldStop) {
                case .failed(let outcome):
                    let result = try body(outcome)
                    try? scratch.remove()
                    return result
                case .up(let session): guest = Kept(machine: machine, session: session, scratch: scratch)
                }
            } catch {
                try? scratch.remove()
                throw error
            }
        }
        defer { giveBack(guest) }
        return try body(try guest.session.run(task, shouldStop: shouldStop, output: output))
    }

    private func giveBack(_ guest: Kept) {
        let isKept = idle.withLock { idle in
            guard guest.session.isUp, idle.count < keptAtMost else { return false }
            idle.append(guest)
            return true
        }
        if !isKept { Self.end(guest) }
    }

    private static func end(_ guest: Kept) {
        guest.session.end()
        try? guest.scratch.remove()
    }

    /// Ends the guests that have nothing to do.
    package func end() {
        let all = idle.withLock { idle in
            defer { idle = [] }
            return idle
        }
        for guest in all { Self.end(guest) }
    }
}
