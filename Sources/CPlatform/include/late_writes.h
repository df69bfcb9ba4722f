// Writing later: replies that a fault holds up, without a thread that sleeps for each.
#ifndef CPLATFORM_LATE_WRITES_H
#define CPLATFORM_LATE_WRITES_H

#include <stdint.h>
#include <sys/uio.h>

/// The next `faultline_writev` of the calling thread happens so much later.
void faultline_delay_next_write(uint64_t delayNanoseconds);

/// writev(2), now, or later as the calling thread asked. A write that waits counts as done; what becomes of it nobody
/// learns. Sets errno as writev does.
ssize_t faultline_writev(int descriptor, const struct iovec *parts, int count);

/// Drops what waits for a descriptor that is about to be closed.
void faultline_drop_late_writes(int descriptor);

#endif
