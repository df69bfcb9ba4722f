#ifndef CPLATFORM_MEMORY_FILESYSTEM_H
#define CPLATFORM_MEMORY_FILESYSTEM_H

/// 1 when what is kept at `path` is kept in memory (tmpfs or ramfs, statfs(2)), else 0, -errno on failure.
int faultline_is_in_memory(const char *path);

#endif
