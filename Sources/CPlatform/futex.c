#define _GNU_SOURCE
#include "futex.h"

#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

static const uint32_t *lower_half(const void *word) {
    const uint32_t *halves = word;
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? halves : halves + 1;
}

void faultline_futex_wait(const void *word, uint64_t value, uint32_t rooms) {
    syscall(SYS_futex, lower_half(word), FUTEX_WAIT_BITSET_PRIVATE, (uint32_t)value, NULL, NULL, rooms);
}

void faultline_futex_wake(const void *word, int count, uint32_t rooms) {
    syscall(SYS_futex, lower_half(word), FUTEX_WAKE_BITSET_PRIVATE, count, NULL, NULL, rooms);
}
