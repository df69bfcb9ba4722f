import CPlatform
import Glibc

/// A thread that blocks all signals, so that the process's signals go to the threads that handle them.
struct Thread: @unchecked Sendable {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private let handle: pthread_t

    /// Starts a thread. EAGAIN at the thread limit.
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

    /// Interrupts the thread's blocking system call, if any.
    func interrupt() { _ = faultline_interrupt(handle) }

    /// Runs `run` in a detached thread, or synchronously when no thread can be started.
    static func detach(_ run: @escaping @Sendable () -> Void) {
        do throws(Errno) {
            pthread_detach(try Thread(run).handle)
        } catch {
            run()
        }
    }
}
