#ifndef CPLATFORM_NETWORK_FILESYSTEM_H
#define CPLATFORM_NETWORK_FILESYSTEM_H

/// 1 when the open file is on a filesystem that other machines may have mounted, too (statfs(2)), as far as its type tells:
/// FUSE counts, as nobody knows what is behind it. 0 when it is not, -errno on failure.
int faultline_may_be_shared_by_machines(int descriptor);

#endif
