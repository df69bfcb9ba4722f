#ifndef CPLATFORM_FILESYSTEM_TYPE_H
#define CPLATFORM_FILESYSTEM_TYPE_H

#include <stdint.h>

/// True when the open file is on a FUSE mount (statfs(2), FUSE_SUPER_MAGIC), 0 when it is not, -errno on failure.
int faultline_is_on_fuse(int descriptor);

/// The same for proc(5), whose symbolic links may stand for open files.
int faultline_is_on_proc(int descriptor);

/// Whether a name in a directory is where something is mounted (statx(2)): 0 when not, or when nobody can say.
int faultline_is_mount_root(int directory, const char *name);

/// The bytes that a name in a directory takes on its filesystem, shared among its hard links; -1 where something is
/// mounted or nobody can say. A FUSE process that is mounted there is not asked.
int64_t faultline_allocated_bytes(int directory, const char *name, int *is_directory);

#endif
