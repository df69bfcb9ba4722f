import CPlatform
import Glibc

/// Threads that take no signals, so that those of the process go to whoever handles them.
struct Thread: @unchecked Sendable {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private let handle: pthread_t

    /// Starts a thread. EAGAIN when there are too many.
    init(_ run: @escaping @Sendable () -> Void) throws(Errno) {
        var handle = pthread_t()
        let body = Unmanaged.passRetained(Body(run))
        let error = pthread_create(
            &handle, nil,
            { argument in
                faultline_block_signals()
                Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, body.toOpaque())
        if error != 0 {
            body.release()
            throw Errno(error)
        }
        self.handle = handle
    }

    func join() { pthread_join(handle, nil) }

    /// Ends the blocking call that the thread is in, if it is in one.
    func interrupt() { _ = faultline_interrupt(handle) }

    /// Runs something in a thread that nobody waits for; here and now when there is none to be had.
    static func detach(_ run: @escaping @Sendable () -> Void) {
        do throws(Errno) {
            pthread_detach(try Thread(run).handle)
        } catch {
            run()
        }
    }
}
