import Bytes
import CPlatform
import FaultFS
import Glibc
import Model
import Testing

/// The events that end a delay early, so that a delayed process can always be killed.
@Suite(.enabled(if: Bench.canMount), .serialized) struct DelayTests {
    /// A script that starts a program `$p` and waits until its write is delayed.
    private static let waiting = """
        over() { ! grep -qs '^State:.[RSDT]' /proc/$p/status; }
        await() { i=0; until over || [ $i = 200 ]; do sleep 0.05; i=$((i+1)); done; over; }
        (trap : USR1; printf x > f) > /dev/null 2>&1 & p=$!
        until grep -q fired.1 .faultline/rules; do sleep 0.02; done
        """

    /// An action on the mount or the program, and whether the write then succeeds; nil when the program is killed.
    @Test(
        .timeLimit(.minutes(5)),
        arguments: [
            ("kill -9 $p", nil), ("kill -USR1 $p; sleep 0.3; kill -9 $p", nil), ("kill -ALRM $p", nil),
            ("echo clear > .faultline/control", true), ("echo 'remove 1' > .faultline/control", true),
            ("echo crash > .faultline/control", false),
        ])
    func `a delay is ended by`(ending: String, succeeds: Bool?) throws {
        let rule = try Rule(parsing: "write path=f -> delay 3000s")
        let bench = try Bench { $0.rules = [rule] }
        let output = bench.succeed(
            """
            \(Self.waiting)
            \(ending)
            await || { echo waits; exit; }
            wait $p 2> /dev/null; status=$?
            [ $status -gt 128 ] && echo killed || echo $status
            """)
        let expected = succeeds.map { $0 ? "0\n" : "1\n" } ?? "killed\n"
        #expect(output == expected)
    }

    /// A handled signal does not end a delay, nor does removing a rule while another delay rule remains.
    @Test(arguments: ["kill -USR1 $p", "printf 'add mkdir -> delay 1s\\nremove 1' > .faultline/control"])
    func `a delay is not ended by`(action: String) throws {
        let rule = try Rule(parsing: "write path=f -> delay 3000s")
        let bench = try Bench { $0.rules = [rule] }
        let output = bench.succeed("\(Self.waiting)\n\(action); sleep 0.3; over || echo waits; kill -9 $p")
        #expect(output == "waits\n")
    }

    @Test(.timeLimit(.minutes(5))) func `an unmount ends a delay`() throws {
        let rule = try Rule(parsing: "write path=f -> delay 3000s")
        let bench = try Bench {
            $0.rules = [rule]
            $0.unmountPatienceMilliseconds = 20_000
        }
        let answer = bench.directory + "/answer"
        bench.succeed(
            """
            { printf x > f; echo $? > \(answer); } > /dev/null 2>&1 &
            until grep -q fired.1 .faultline/rules; do sleep 0.02; done
            """)
        try bench.mount.unmount()
        let script = "i=0; until [ -s \(answer) ] || [ $i = 100 ]; do sleep 0.05; i=$((i+1)); done; cat \(answer)"
        #expect(Shell.run(script).output == "0\n")
    }

    // MARK: Delayed replies

    /// The header of a FUSE reply.
    private struct Reply: Equatable {
        var sizeBytes: UInt32
        var error: Int32
        var request: UInt64
    }

    /// A pipe that receives replies in place of the kernel.
    private final class Replies {
        private var ends: [Int32] = [-1, -1]
        var device: Int32 { ends[1] }

        init() {
            _ = pipe(&ends)
            for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
        }

        deinit {
            faultline_drop_late_writes(device)
            for end in ends { close(end) }
        }

        func hold(_ request: UInt64, for caller: Int32, mayFail: Bool = true) {
            faultline_delay_next_write(3_000_000_000_000, caller, mayFail ? 1 : 0)
            send(request)
        }

        func send(_ request: UInt64) {
            var (reply, more) = (Reply(sizeBytes: 24, error: 0, request: request), UInt64(7))
            withUnsafeMutableBytes(of: &reply) { reply in
                withUnsafeMutableBytes(of: &more) { more in
                    let parts = [
                        iovec(iov_base: reply.baseAddress, iov_len: reply.count),
                        iovec(iov_base: more.baseAddress, iov_len: more.count),
                    ]
                    #expect(faultline_writev(device, parts, 2) == 24)
                }
            }
        }

        /// The replies sent since the last call.
        var sent: [Reply] {
            var replies: [Reply] = []
            var reply = Reply(sizeBytes: 0, error: 0, request: 0)
            while withUnsafeMutableBytes(of: &reply, { read(ends[0], $0.baseAddress, $0.count) }) == 16 {
                replies.append(reply)
                var rest = [UInt8](repeating: 0, count: Int(reply.sizeBytes) - 16)
                if !rest.isEmpty { _ = read(ends[0], &rest, rest.count) }
            }
            return replies
        }
    }

    /// For a caller outside our pid namespace, the kernel's interrupt is the only sign of a signal.
    @Test func `an interrupt ends the delay of an unknown caller`() {
        let replies = Replies()
        replies.hold(2, for: 0)
        replies.hold(4, for: 0)
        replies.hold(6, for: getpid())
        #expect(replies.sent.isEmpty)
        for request: UInt64 in [4, 6] { faultline_interrupt_late_write(replies.device, request) }
        #expect(replies.sent.map(\.request) == [4])
        // The interrupt may arrive before the reply is delayed.
        faultline_interrupt_late_write(replies.device, 8)
        replies.hold(8, for: 0)
        #expect(replies.sent.map(\.request) == [8])
    }

    @Test func `ending with an error fails only replies that may fail`() {
        let (replies, others) = (Replies(), Replies())
        replies.hold(2, for: getpid())
        replies.hold(4, for: getpid(), mayFail: false)
        others.hold(6, for: getpid())
        faultline_end_late_writes(replies.device, EIO)
        let expected = [
            Reply(sizeBytes: 16, error: -EIO, request: 2), Reply(sizeBytes: 24, error: 0, request: 4),
        ]
        #expect(replies.sent == expected && others.sent.isEmpty)
    }

    /// Ending all delays also covers a reply whose delay is set and has not begun.
    @Test func `ending delays covers a reply that is about to wait`() {
        let replies = Replies()
        faultline_delay_next_write(3_000_000_000_000, getpid(), 1)
        faultline_end_late_writes(replies.device, 0)
        replies.send(2)
        #expect(replies.sent.map(\.request) == [2])
    }
}
