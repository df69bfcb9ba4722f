#include "allocator.h"

#include <features.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

void faultline_trim_memory(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
