#define _GNU_SOURCE
#include "filesystem_type.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

static int is_on(int descriptor, unsigned magic) {
    struct statfs filesystem;
    if (fstatfs(descriptor, &filesystem) != 0) return -errno;
    return (unsigned)filesystem.f_type == magic;
}

int faultline_is_on_fuse(int descriptor) { return is_on(descriptor, 0x65735546); }

int faultline_is_on_proc(int descriptor) { return is_on(descriptor, 0x9fa0); }

int64_t faultline_allocated_bytes(int directory, const char *name, int *is_directory) {
    struct statx found;
    int flags = AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC;
    if (statx(directory, name, flags, STATX_TYPE | STATX_BLOCKS | STATX_NLINK, &found) != 0) return -1;
    if (found.stx_attributes & found.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) return -1;
    *is_directory = S_ISDIR(found.stx_mode);
    uint32_t names = *is_directory || found.stx_nlink == 0 ? 1 : found.stx_nlink;
    return (int64_t)(found.stx_blocks * 512 / names);
}

int faultline_is_mount_root(int directory, const char *name) {
    struct statx attributes;
    if (statx(directory, name, AT_SYMLINK_NOFOLLOW, 0, &attributes) != 0) return 0;
    return (attributes.stx_attributes & attributes.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0;
}
