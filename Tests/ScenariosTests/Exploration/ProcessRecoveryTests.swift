import Bytes
import Exploration
import Foundation
import Model
import Oracle
import Targets
import Testing

/// States as files, recovered by commands that end in ways of their own.
struct ProcessRecoveryTests {
    /// A recover command that is killed the first so many times, after it has left something in the directory; a
    /// directory in which something was left shows a key.
    private func recover(killed times: Int, isPersistent: Bool, inFreshProcess: Bool) throws -> Evidence {
        let scratch = Scratch()
        let mark = scratch.url.appending(path: "mark").path
        let script = """
            look() {
                [ -e "$1/left" ] && echo '{"key":"aw==","payload":"dg=="}'
                echo x >> \(mark)
                [ $(wc -l < \(mark)) -le \(times) ] && touch "$1/left" && kill -KILL $$
                echo '{"end":true}'
            }
            \(isPersistent ? "while read -r directory; do look \"$directory\"; done" : "look \"$FAULTLINE_DIR\"")
            """
        var target = Target(
            name: "killed", description: "", source: "", contract: .durable, workload: [],
            recover: ["sh", "-c", ByteString(script)])
        target.isPersistent = isPersistent
        let recovery = ProcessRecovery(
            payloads: PayloadArena(), client: RecoverClient(try target.configured()),
            scratch: try scratch.make("states"))
        return try recovery.recover(Tree(), inFreshProcess: inFreshProcess).evidence
    }

    @Test(arguments: [true, false], [true, false])
    func `a recovery that is killed from outside is tried again, on a copy of its own`(
        isPersistent: Bool, inFreshProcess: Bool
    ) throws {
        let once = try recover(killed: 1, isPersistent: isPersistent, inFreshProcess: inFreshProcess)
        #expect(once == Evidence(.opened(Observation()), secondRecovery: .opened(Observation())))
        let twice = try recover(killed: 2, isPersistent: isPersistent, inFreshProcess: inFreshProcess)
        #expect(twice.recovery.failure == "the recovery was killed by signal 9")
    }
}
