// Removing what resists: calls that Swift's Glibc module lacks. -errno on failure.
#ifndef CPLATFORM_REMOVAL_H
#define CPLATFORM_REMOVAL_H

/// open(2) of a directory with O_PATH | O_CLOEXEC: good for naming what is in it. Symbolic links are followed.
int faultline_hold_directory(const char *path);

/// openat2(2) of a directory for reading, close-on-exec, with RESOLVE_NO_XDEV and RESOLVE_NO_SYMLINKS: -EXDEV when
/// something is mounted there, a bind mount of the same filesystem included. A kernel before 5.6 sees other filesystems
/// alone.
int faultline_open_directory_unless_mounted(int parent, const char *name);

/// Takes the flags immutable and append-only (ioctl_iflags(2)) away from an open file or directory: 1 when it had one, 0
/// when it had none, -EPERM without CAP_LINUX_IMMUTABLE, another error when the filesystem has no such flags.
int faultline_clear_protection(int descriptor);

#endif
