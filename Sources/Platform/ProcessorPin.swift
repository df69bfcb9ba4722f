import CPlatform

/// Keeps the thread that makes it, and those that this thread then starts, on one processor: threads that hand work to each
/// other, one at a time, then need not wake another processor. Does nothing where that is not possible.
package final class ProcessorPin {
    private var before: faultline_processors?

    package init() {
        var before = faultline_processors()
        if faultline_pin_to_processor(&before) == 0 { self.before = before }
    }

    /// Releases the calling thread, which must be the one that made the pin. Threads that it started stay.
    package func release() {
        guard var before else { return }
        faultline_unpin(&before)
        self.before = nil
    }
}
