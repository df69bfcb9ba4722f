#ifndef CPLATFORM_BLOCK_STACK_H
#define CPLATFORM_BLOCK_STACK_H

#include <stddef.h>
#include <stdint.h>

// Filesystems on block devices: calls that Swift's Glibc module lacks. -errno on failure.

/// mount(2) of a block device with MS_NOSUID | MS_NODEV | MS_NOATIME.
int faultline_mount_device(const char *device, const char *target, const char *type, const char *options);

/// syncfs(2).
int faultline_sync_filesystem(int descriptor);

/// sync_file_range(2) that writes the range back and waits for it.
int faultline_write_back(int descriptor, int64_t offsetBytes, int64_t countBytes);

/// Commits the metadata of a btrfs without writing file data back (BTRFS_IOC_START_SYNC and WAIT_SYNC).
int faultline_btrfs_commit(int descriptor);

/// The number of a loop device that nobody uses (LOOP_CTL_GET_FREE). Somebody else may take it first.
int faultline_free_loop_device(void);

/// Puts an open file behind a loop device (LOOP_CONFIGURE), which lets go of it when nobody has the device open or mounted
/// any more. The answer is a descriptor of the device, closed on execution; EBUSY when it is in use.
int faultline_configure_loop_device(const char *device, int file, uint32_t blockSizeBytes, int directIO);

/// Drops what the kernel's cache holds of a block device (BLKFLSBUF): what lies beneath was changed.
int faultline_drop_device_cache(int device);

/// Opens a device for reading and writing around the kernel's cache (O_DIRECT).
int faultline_open_direct(const char *path);

/// Writes bytes to a descriptor of `faultline_open_direct`; offset and count are multiples of its sectors. No flush.
int faultline_write_direct(int descriptor, const void *bytes, size_t count, int64_t offset);

#endif
