import CPlatform
import Glibc

/// A thread that blocks all signals, so that the process's signals go to the threads that handle them.
package struct Thread: @unchecked Sendable {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private let handle: pthread_t

    /// Starts a thread. EAGAIN at the thread limit.
    package init(_ run: @escaping @Sendable () -> Void) throws(Errno) {
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

    package func join() { pthread_join(handle, nil) }

    /// Interrupts the thread's blocking system call, if any.
    package func interrupt() { _ = faultline_interrupt(handle) }

    /// Starts a detached thread. EAGAIN at the thread limit.
    package static func startDetached(_ run: @escaping @Sendable () -> Void) throws(Errno) {
        pthread_detach(try Thread(run).handle)
    }

    /// Runs a finite task in a detached thread, or in the calling thread when no thread can be created.
    package static func detach(_ run: @escaping @Sendable () -> Void) {
        do throws(Errno) { try startDetached(run) } catch { run() }
    }
}
