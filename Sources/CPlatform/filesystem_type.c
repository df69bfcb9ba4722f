#include "filesystem_type.h"

#include <sys/vfs.h>

int faultline_is_on_fuse(int descriptor) {
    enum { fuse_super_magic = 0x65735546 };
    struct statfs filesystem;
    if (fstatfs(descriptor, &filesystem) != 0) return -1;
    return (unsigned)filesystem.f_type == fuse_super_magic;
}
