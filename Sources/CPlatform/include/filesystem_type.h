#ifndef CPLATFORM_FILESYSTEM_TYPE_H
#define CPLATFORM_FILESYSTEM_TYPE_H

/// True when the open file is on a FUSE mount (statfs(2), FUSE_SUPER_MAGIC), 0 when it is not, -1 with errno on failure.
int faultline_is_on_fuse(int descriptor);

#endif
