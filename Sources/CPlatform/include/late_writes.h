// Writing later: replies that a fault holds up, without a thread that sleeps for each.
#ifndef CPLATFORM_LATE_WRITES_H
#define CPLATFORM_LATE_WRITES_H

#include <stdint.h>
#include <sys/uio.h>

/// The next `faultline_writev` of the calling thread happens so much later, unless the delay is ended before. `caller` is
/// the thread that waits for the reply: the delay ends when that is killed. 0: nobody knows it. `mayFail`: whether
/// `faultline_end_late_writes` may put an error in place of the reply.
void faultline_delay_next_write(uint64_t delayNanoseconds, int32_t caller, int mayFail);

/// writev(2), now, or later as the calling thread asked. A write that waits counts as done; what becomes of it nobody
/// learns. Sets errno as writev does.
ssize_t faultline_writev(int descriptor, const struct iovec *parts, int count);

/// Ends every delay of a descriptor: writes at once what waits, and what a thread is about to have wait. With `error`,
/// an errno, that is the reply in place of each that may fail.
void faultline_end_late_writes(int descriptor, int error);

/// The kernel passes on that a signal reached whoever waits for the reply to this request (FUSE_INTERRUPT). Ends the
/// delay if the waiting thread is unknown; else its end is seen without this.
void faultline_interrupt_late_write(int descriptor, uint64_t request);

/// Drops what waits for a descriptor that is about to be closed.
void faultline_drop_late_writes(int descriptor);

#endif
