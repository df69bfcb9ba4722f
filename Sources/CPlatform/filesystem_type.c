#define _GNU_SOURCE
#include "filesystem_type.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

static int is_on(int descriptor, unsigned magic) {
    struct statfs filesystem;
    if (fstatfs(descriptor, &filesystem) != 0) return -1;
    return (unsigned)filesystem.f_type == magic;
}

int faultline_is_on_fuse(int descriptor) { return is_on(descriptor, 0x65735546); }

int faultline_is_on_proc(int descriptor) { return is_on(descriptor, 0x9fa0); }

int faultline_is_mount_root(int directory, const char *name) {
    struct statx attributes;
    if (statx(directory, name, AT_SYMLINK_NOFOLLOW, 0, &attributes) != 0) return 0;
    return (attributes.stx_attributes & attributes.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0;
}
