#ifndef CPLATFORM_FUTEX_H
#define CPLATFORM_FUTEX_H

#include <stdint.h>

// Sleeping on a shared 64-bit word, futex(2), between the threads of one process. The kernel looks at the lower half of the
// word. `rooms` is a set of bits, at least one: a call wakes only sleepers whose set it meets.

/// Sleeps until it is woken, unless the lower half of the word is no longer that of `value`. It may also return for no reason.
void faultline_futex_wait(const void *word, uint64_t value, uint32_t rooms);

/// Wakes at most `count` sleepers.
void faultline_futex_wake(const void *word, int count, uint32_t rooms);

#endif
