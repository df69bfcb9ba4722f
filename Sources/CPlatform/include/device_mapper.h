#ifndef CPLATFORM_DEVICE_MAPPER_H
#define CPLATFORM_DEVICE_MAPPER_H

#include <stddef.h>
#include <stdint.h>

// The calls of device-mapper, as <linux/dm-ioctl.h> defines them. A program that makes them is a fork, an exec and a dynamic
// link for each; a run needs a dozen. -errno on failure; ENAMETOOLONG when a text is too long. udev is told to leave our
// devices alone.

/// Makes a device of this name without a table (DM_DEV_CREATE). The answer is N of /dev/dm-N.
int faultline_device_mapper_create(const char *name);

/// Loads a table of one target as the device's next (DM_TABLE_LOAD). It is used from the next resume on.
int faultline_device_mapper_load(
    const char *name, uint64_t startSectors, uint64_t countSectors, const char *target, const char *parameters);

/// Drops the next table (DM_TABLE_CLEAR).
int faultline_device_mapper_clear(const char *name);

/// Holds new requests back (DM_DEV_SUSPEND). Nothing is flushed, and no filesystem is frozen.
int faultline_device_mapper_suspend(const char *name);

/// Goes on, with the next table if one was loaded.
int faultline_device_mapper_resume(const char *name);

/// Removes the device (DM_DEV_REMOVE); if it is in use: EBUSY, or, deferred, when that ends.
int faultline_device_mapper_remove(const char *name, int isDeferred);

/// What the first target of the device's table says of itself (DM_TABLE_STATUS), as text that ends with 0.
int faultline_device_mapper_status(const char *name, char *text, size_t size);

/// Sends a message to the target at the device's first sector (DM_TARGET_MSG): words with blanks between.
int faultline_device_mapper_message(const char *name, const char *message);

/// The names of the targets that the kernel has now (DM_LIST_VERSIONS), each followed by a newline, as text that ends with 0.
int faultline_device_mapper_targets(char *text, size_t size);

#endif
