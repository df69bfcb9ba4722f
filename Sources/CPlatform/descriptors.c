#define _GNU_SOURCE
#include "descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#define CHECKED(call) ({ __typeof__(call) result_ = (call); result_ < 0 ? -errno : result_; })

// "/proc/self/fd/" and the digits of an int.
struct proc_path { char text[32]; };

static struct proc_path proc_path(int descriptor) {
    struct proc_path path;
    snprintf(path.text, sizeof path.text, "/proc/self/fd/%d", descriptor);
    return path;
}

int faultline_open_path(int directory, const char *name) {
    return CHECKED(openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
}

int faultline_open_directory_path(int directory, const char *path) {
    return CHECKED(openat(directory, path, O_PATH | O_DIRECTORY | O_CLOEXEC));
}

int faultline_reopen(int path, int flags) {
    int kept = flags & (O_ACCMODE | O_NONBLOCK | O_NOATIME | O_LARGEFILE);
    return CHECKED(open(proc_path(path).text, kept | O_CLOEXEC));
}

int faultline_create(int directory, const char *name, int flags, mode_t mode) {
    int kept = flags & (O_ACCMODE | O_NONBLOCK | O_NOATIME | O_LARGEFILE);
    return CHECKED(openat(directory, name, kept | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
}

int faultline_create_unnamed(int directory, mode_t mode) {
    return CHECKED(openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, mode));
}

int faultline_open_directory(int directory, const char *name) {
    return CHECKED(openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

int faultline_fstat(int descriptor, struct stat *out) { return CHECKED(fstat(descriptor, out)); }

int faultline_stat_at(int directory, const char *name, struct stat *out) {
    return CHECKED(fstatat(directory, name, out, AT_SYMLINK_NOFOLLOW));
}

int faultline_fstatvfs(int descriptor, struct statvfs *out) { return CHECKED(fstatvfs(descriptor, out)); }

int faultline_mkdir_at(int directory, const char *name, mode_t mode) {
    return CHECKED(mkdirat(directory, name, mode));
}

int faultline_mknod_at(int directory, const char *name, mode_t mode) {
    return CHECKED(mknodat(directory, name, mode, 0));
}

int faultline_symlink_at(const char *target, int directory, const char *name) {
    return CHECKED(symlinkat(target, directory, name));
}

int faultline_link_at(int from, const char *name, int to, const char *newName) {
    return CHECKED(linkat(from, name, to, newName, 0));
}

int faultline_link_path(int path, int to, const char *newName) {
    return CHECKED(linkat(AT_FDCWD, proc_path(path).text, to, newName, AT_SYMLINK_FOLLOW));
}

int faultline_unlink_at(int parent, const char *name, int directory) {
    return CHECKED(unlinkat(parent, name, directory ? AT_REMOVEDIR : 0));
}

int faultline_rename_at(int from, const char *name, int to, const char *newName, unsigned flags) {
    if (flags == 0) return CHECKED(renameat(from, name, to, newName));
    return CHECKED(renameat2(from, name, to, newName, flags));
}

ssize_t faultline_readlink_path(int path, char *buffer, size_t sizeBytes) {
    return CHECKED(readlinkat(path, "", buffer, sizeBytes));
}

int faultline_access_path(int path, int mask) {
    return CHECKED(faccessat(AT_FDCWD, proc_path(path).text, mask, AT_EACCESS));
}

int faultline_chmod_path(int path, mode_t mode) { return CHECKED(chmod(proc_path(path).text, mode)); }

int faultline_chown_path(int path, uid_t owner, gid_t group) {
    return CHECKED(fchownat(path, "", owner, group, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW));
}

int faultline_truncate_path(int path, off_t sizeBytes) {
    return CHECKED(truncate(proc_path(path).text, sizeBytes));
}

int faultline_utimens_path(int path, const struct timespec times[2]) {
    return CHECKED((int)syscall(SYS_utimensat, path, "", times, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW));
}

ssize_t faultline_getxattr_path(int path, const char *name, void *value, size_t sizeBytes) {
    return CHECKED(getxattr(proc_path(path).text, name, value, sizeBytes));
}

ssize_t faultline_listxattr_path(int path, char *list, size_t sizeBytes) {
    return CHECKED(listxattr(proc_path(path).text, list, sizeBytes));
}

int faultline_setxattr_path(int path, const char *name, const void *value, size_t sizeBytes, int flags) {
    return CHECKED(setxattr(proc_path(path).text, name, value, sizeBytes, flags));
}

int faultline_removexattr_path(int path, const char *name) {
    return CHECKED(removexattr(proc_path(path).text, name));
}

ssize_t faultline_pread(int descriptor, void *buffer, size_t countBytes, off_t offsetBytes) {
    return CHECKED(pread(descriptor, buffer, countBytes, offsetBytes));
}

ssize_t faultline_pwrite(int descriptor, const void *buffer, size_t countBytes, off_t offsetBytes) {
    return CHECKED(pwrite(descriptor, buffer, countBytes, offsetBytes));
}

ssize_t faultline_append(int descriptor, const void *buffer, size_t countBytes) {
    return CHECKED(write(descriptor, buffer, countBytes));
}

int faultline_ftruncate(int descriptor, off_t sizeBytes) { return CHECKED(ftruncate(descriptor, sizeBytes)); }

int faultline_allocate(int descriptor, int mode, off_t offsetBytes, off_t countBytes) {
    return CHECKED(fallocate(descriptor, mode, offsetBytes, countBytes));
}

off_t faultline_lseek(int descriptor, off_t offsetBytes, int whence) {
    return CHECKED(lseek(descriptor, offsetBytes, whence));
}

ssize_t faultline_copy_range(int from, int to, size_t countBytes) {
    return CHECKED(copy_file_range(from, NULL, to, NULL, countBytes, 0));
}

int faultline_fsync(int descriptor) { return CHECKED(fsync(descriptor)); }
int faultline_fdatasync(int descriptor) { return CHECKED(fdatasync(descriptor)); }
int faultline_memfd(const char *name) { return CHECKED(memfd_create(name, MFD_CLOEXEC)); }

// Scratch buffers: a key with a destructor, and a thread-local beside it so that the common case is one load.
static pthread_once_t scratch_once = PTHREAD_ONCE_INIT;
static pthread_key_t scratch_key;
static _Thread_local struct { void *bytes; size_t size; } scratch;

static void make_scratch_key(void) { pthread_key_create(&scratch_key, free); }

void *faultline_thread_buffer(size_t sizeBytes) {
    if (sizeBytes <= scratch.size) return scratch.bytes;
    pthread_once(&scratch_once, make_scratch_key);
    void *grown = realloc(scratch.bytes, sizeBytes);
    if (grown == NULL) return NULL;
    scratch.bytes = grown;
    scratch.size = sizeBytes;
    pthread_setspecific(scratch_key, grown);
    return grown;
}
