#include "crc32c.h"

#include <string.h>

// Reflected: the highest power stands in the lowest bit.
#define POLYNOMIAL 0x82F63B78u

static uint32_t portable(uint32_t state, const uint8_t *p, size_t n) {
    while (n--) {
        state ^= *p++;
        for (int bit = 0; bit < 8; bit++) state = (state >> 1) ^ (POLYNOMIAL & (0u - (state & 1)));
    }
    return state;
}

#if defined(__x86_64__)
#include <nmmintrin.h>
#include <wmmintrin.h>

// What the processor can: 0 nothing of use, 1 the instruction, 2 carry-less multiplication, too.
static int level;

// The instruction takes a word each cycle and has its answer three cycles later. So three runs of the bytes, of equal
// length, go through it side by side, and are joined: a state is moved past the bytes that follow it by multiplying it
// with a power of x. The product has 64 bits and is added to the last word, which has yet to go through the instruction.
//
// "Fast CRC Computation for iSCSI Polynomial Using CRC32 Instruction", V. Gopal and others, Intel, 2011.
#define LONGEST_RUN 128  // words

// x^(64 n + 31) modulo the polynomial, which moves a state past n + 1 words, the last of them in the instruction.
static uint32_t powers[2 * LONGEST_RUN + 1];

__attribute__((constructor)) static void prepare(void) {
    __builtin_cpu_init();
    uint32_t power = 1;  // x^31
    for (int n = 0; n <= 2 * LONGEST_RUN; n++) {
        powers[n] = power;
        for (int bit = 0; bit < 64; bit++) power = (power >> 1) ^ (POLYNOMIAL & (0u - (power & 1)));
    }
    level = __builtin_cpu_supports("sse4.2") ? (__builtin_cpu_supports("pclmul") ? 2 : 1) : 0;
}

static inline uint64_t word_at(const uint8_t *p) {
    uint64_t word;
    memcpy(&word, p, 8);
    return word;
}

__attribute__((target("sse4.2"))) static uint32_t hardware(uint32_t state, const uint8_t *p, size_t n) {
    uint64_t wide = state;
    for (; n >= 8; p += 8, n -= 8) wide = _mm_crc32_u64(wide, word_at(p));
    state = (uint32_t)wide;
    while (n--) state = _mm_crc32_u8(state, *p++);
    return state;
}

__attribute__((target("sse4.2,pclmul"))) static __m128i moved(uint64_t state, size_t words) {
    return _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)state), _mm_cvtsi32_si128((int)powers[words]), 0);
}

__attribute__((target("sse4.2,pclmul"))) static uint32_t interleaved(uint32_t state, const uint8_t *p, size_t n) {
    while (n >= 80) {
        size_t run = (n - 8) / 24;
        if (run > LONGEST_RUN) run = LONGEST_RUN;
        const uint8_t *second = p + 8 * run, *third = second + 8 * run;
        uint64_t one = state, two = 0, three = 0;
        for (size_t place = 0; place < 8 * run; place += 8) {
            one = _mm_crc32_u64(one, word_at(p + place));
            two = _mm_crc32_u64(two, word_at(second + place));
            three = _mm_crc32_u64(three, word_at(third + place));
        }
        __m128i both = _mm_xor_si128(moved(one, 2 * run), moved(two, run));
        p = third + 8 * run;
        state = (uint32_t)_mm_crc32_u64(three, word_at(p) ^ (uint64_t)_mm_cvtsi128_si64(both));
        p += 8;
        n -= 24 * run + 8;
    }
    return hardware(state, p, n);
}

uint32_t faultline_crc32c(uint32_t crc, const void *bytes, size_t count) {
    if (level == 2 && count >= 80) return ~interleaved(~crc, bytes, count);
    if (level >= 1) return ~hardware(~crc, bytes, count);
    return ~portable(~crc, bytes, count);
}
#else
uint32_t faultline_crc32c(uint32_t crc, const void *bytes, size_t count) {
    return ~portable(~crc, bytes, count);
}
#endif
