#define _GNU_SOURCE
#include "processors.h"

#include <sched.h>
#include <string.h>

_Static_assert(sizeof(cpu_set_t) <= sizeof(faultline_processors), "a set of processors fits");

int faultline_pin_to_processor(faultline_processors *before) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return -1;
    memcpy(before->bits, &set, sizeof set);
    int processor = sched_getcpu();
    if (processor < 0) return -1;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    return sched_setaffinity(0, sizeof set, &set);
}

void faultline_unpin(const faultline_processors *before) {
    cpu_set_t set;
    memcpy(&set, before->bits, sizeof set);
    sched_setaffinity(0, sizeof set, &set);
}
