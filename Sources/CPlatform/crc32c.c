#include "crc32c.h"

#include <string.h>

static uint32_t portable(uint32_t state, const uint8_t *p, size_t n) {
    while (n--) {
        state ^= *p++;
        for (int bit = 0; bit < 8; bit++) state = (state >> 1) ^ (0x82F63B78u & (0u - (state & 1)));
    }
    return state;
}

#if defined(__x86_64__)
#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t hardware(uint32_t state, const uint8_t *p, size_t n) {
    uint64_t wide = state;
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        wide = _mm_crc32_u64(wide, word);
    }
    state = (uint32_t)wide;
    while (n--) state = _mm_crc32_u8(state, *p++);
    return state;
}

uint32_t faultline_crc32c(uint32_t crc, const void *bytes, size_t count) {
    if (__builtin_cpu_supports("sse4.2")) return ~hardware(~crc, bytes, count);
    return ~portable(~crc, bytes, count);
}
#else
uint32_t faultline_crc32c(uint32_t crc, const void *bytes, size_t count) {
    return ~portable(~crc, bytes, count);
}
#endif
