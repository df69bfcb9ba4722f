#define _GNU_SOURCE
#include "block_stack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

int faultline_mount_device(const char *device, const char *target, const char *type, const char *options) {
    return mount(device, target, type, MS_NOSUID | MS_NODEV | MS_NOATIME, options) == 0 ? 0 : -errno;
}

int faultline_sync_filesystem(int descriptor) { return syncfs(descriptor) == 0 ? 0 : -errno; }

int faultline_write_back(int descriptor, int64_t offsetBytes, int64_t countBytes) {
    const unsigned all = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    return sync_file_range(descriptor, offsetBytes, countBytes, all) == 0 ? 0 : -errno;
}

int faultline_btrfs_commit(int descriptor) {
    __u64 transaction = 0;
    if (ioctl(descriptor, BTRFS_IOC_START_SYNC, &transaction) != 0) return -errno;
    return ioctl(descriptor, BTRFS_IOC_WAIT_SYNC, &transaction) == 0 ? 0 : -errno;
}
