#ifndef CPLATFORM_FILES_H
#define CPLATFORM_FILES_H

#include <stdint.h>

/// fallocate(2), which glibc declares for _GNU_SOURCE alone. 0, or -errno.
int faultline_fallocate(int descriptor, int mode, int64_t offset, int64_t count);

#endif
