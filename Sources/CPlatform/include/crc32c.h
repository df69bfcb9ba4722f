#ifndef CPLATFORM_CRC32C_H
#define CPLATFORM_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/// Extends a CRC32C (Castagnoli, reflected polynomial 0x82F63B78) over `count` bytes.
/// Begin with 0; the value of "123456789" is 0xE3069283.
uint32_t faultline_crc32c(uint32_t crc, const void *bytes, size_t count);

#endif
