// Calls on descriptors that Swift's Glibc module lacks, or offers only as variadic functions.
//
// Every function returns what the call returns, or -errno: a Swift caller that reads `errno` itself may find it
// overwritten by a deinitialiser that ran in between.
#ifndef CPLATFORM_DESCRIPTORS_H
#define CPLATFORM_DESCRIPTORS_H

#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

/// openat(2) with O_PATH | O_NOFOLLOW | O_CLOEXEC: a handle on the inode itself, a symbolic link included.
int faultline_open_path(int directory, const char *name);

/// Opens the inode behind an O_PATH descriptor through /proc/self/fd. Only the access mode, O_NONBLOCK, O_NOATIME
/// and O_LARGEFILE of `flags` are honoured.
int faultline_reopen(int path, int flags);

/// openat(2) with O_PATH | O_DIRECTORY | O_CLOEXEC: a directory to resolve names in, which needs no right to read it.
int faultline_open_directory_path(int directory, const char *path);

/// openat(2) with O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC and the access mode of `flags`.
int faultline_create(int directory, const char *name, int flags, mode_t mode);

/// openat(2) with O_TMPFILE | O_RDWR | O_CLOEXEC: a file of this directory's filesystem that has no name yet.
int faultline_create_unnamed(int directory, mode_t mode);

/// openat(2) with O_DIRECTORY | O_NOFOLLOW | O_RDONLY | O_CLOEXEC.
int faultline_open_directory(int directory, const char *name);

int faultline_fstat(int descriptor, struct stat *out);
/// fstatat(2) with AT_SYMLINK_NOFOLLOW.
int faultline_stat_at(int directory, const char *name, struct stat *out);
int faultline_fstatvfs(int descriptor, struct statvfs *out);

int faultline_mkdir_at(int directory, const char *name, mode_t mode);
int faultline_mknod_at(int directory, const char *name, mode_t mode);
int faultline_symlink_at(const char *target, int directory, const char *name);
/// linkat(2) without following a symbolic link.
int faultline_link_at(int from, const char *name, int to, const char *newName);
/// linkat(2) of the inode behind an O_PATH descriptor, through /proc/self/fd.
int faultline_link_path(int path, int to, const char *newName);
/// unlinkat(2); `directory` other than 0 for AT_REMOVEDIR.
int faultline_unlink_at(int parent, const char *name, int directory);
/// renameat2(2); flags: 0, 1 RENAME_NOREPLACE, 2 RENAME_EXCHANGE.
int faultline_rename_at(int from, const char *name, int to, const char *newName, unsigned flags);
ssize_t faultline_readlink_path(int path, char *buffer, size_t sizeBytes);

/// faccessat(2) with the effective user.
int faultline_access_path(int path, int mask);
int faultline_chmod_path(int path, mode_t mode);
int faultline_chown_path(int path, uid_t owner, gid_t group);
int faultline_truncate_path(int path, off_t sizeBytes);
int faultline_utimens_path(int path, const struct timespec times[2]);

ssize_t faultline_getxattr_path(int path, const char *name, void *value, size_t sizeBytes);
ssize_t faultline_listxattr_path(int path, char *list, size_t sizeBytes);
int faultline_setxattr_path(int path, const char *name, const void *value, size_t sizeBytes, int flags);
int faultline_removexattr_path(int path, const char *name);

ssize_t faultline_pread(int descriptor, void *buffer, size_t countBytes, off_t offsetBytes);
ssize_t faultline_pwrite(int descriptor, const void *buffer, size_t countBytes, off_t offsetBytes);
/// write(2).
ssize_t faultline_append(int descriptor, const void *buffer, size_t countBytes);
int faultline_ftruncate(int descriptor, off_t sizeBytes);
/// fallocate(2) with the kernel's own mode bits.
int faultline_allocate(int descriptor, int mode, off_t offsetBytes, off_t countBytes);
off_t faultline_lseek(int descriptor, off_t offsetBytes, int whence);
/// copy_file_range(2) at both descriptors' positions.
ssize_t faultline_copy_range(int from, int to, size_t countBytes);
int faultline_fsync(int descriptor);
int faultline_fdatasync(int descriptor);
int faultline_memfd(const char *name);

/// A scratch buffer of at least `sizeBytes` that belongs to the calling thread and is freed when it ends.
/// NULL when there is no memory.
void *faultline_thread_buffer(size_t sizeBytes);

#endif
