#define _GNU_SOURCE
#include "files.h"

#include <errno.h>
#include <fcntl.h>

int faultline_fallocate(int descriptor, int mode, int64_t offset, int64_t count) {
    return fallocate(descriptor, mode, offset, count) == 0 ? 0 : -errno;
}
