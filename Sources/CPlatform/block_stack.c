#define _GNU_SOURCE
#include "block_stack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <stdlib.h>
#include <string.h>
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

int faultline_free_loop_device(void) {
    int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    if (control < 0) return -errno;
    int number = ioctl(control, LOOP_CTL_GET_FREE);
    int error = errno;
    close(control);
    return number < 0 ? -error : number;
}

int faultline_configure_loop_device(const char *device, int file, uint32_t blockSizeBytes, int directIO) {
    int descriptor = open(device, O_RDWR | O_CLOEXEC);
    if (descriptor < 0) return -errno;
    struct loop_config configuration = {.fd = (__u32)file, .block_size = blockSizeBytes};
    configuration.info.lo_flags = LO_FLAGS_AUTOCLEAR | (directIO ? LO_FLAGS_DIRECT_IO : 0);
    if (ioctl(descriptor, LOOP_CONFIGURE, &configuration) == 0) return descriptor;
    int error = errno;
    close(descriptor);
    return -error;
}

int faultline_open_direct(const char *path) {
    int descriptor = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
    return descriptor < 0 ? -errno : descriptor;
}

int faultline_write_direct(int descriptor, const void *bytes, size_t count, int64_t offset) {
    void *aligned = NULL;
    int error = posix_memalign(&aligned, 4096, count);
    if (error != 0) return -error;
    memcpy(aligned, bytes, count);
    ssize_t written = pwrite(descriptor, aligned, count, offset);
    error = written < 0 ? errno : (size_t)written == count ? 0 : EIO;
    free(aligned);
    return -error;
}

int faultline_drop_device_cache(int device) { return ioctl(device, BLKFLSBUF, 0) == 0 ? 0 : -errno; }
