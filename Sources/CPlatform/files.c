#define _GNU_SOURCE
#include "files.h"

#include <fcntl.h>

int faultline_fallocate(int descriptor, int mode, int64_t offset, int64_t count) {
    return fallocate(descriptor, mode, offset, count);
}
