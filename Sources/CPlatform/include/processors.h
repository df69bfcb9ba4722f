#ifndef CPLATFORM_PROCESSORS_H
#define CPLATFORM_PROCESSORS_H

#include <stdint.h>

/// The processors that the calling thread may run on, sched_getaffinity(2).
typedef struct {
    uint64_t bits[16];
} faultline_processors;

/// Keeps the calling thread, and the threads that it starts, on the processor that it runs on. 0, or -1 if that is not possible;
/// then nothing changes.
int faultline_pin_to_processor(faultline_processors *before);

/// Takes the limit back from the calling thread.
void faultline_unpin(const faultline_processors *before);

#endif
