#define _GNU_SOURCE
#include "removal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int faultline_hold_directory(const char *path) {
    int opened = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return opened < 0 ? -errno : opened;
}

static int open_and_compare(int parent, const char *name, int flags) {
    int opened = openat(parent, name, flags);
    if (opened < 0) return -errno;
    struct stat above, here;
    if (fstat(parent, &above) == 0 && fstat(opened, &here) == 0 && above.st_dev == here.st_dev) return opened;
    close(opened);
    return -EXDEV;
}

int faultline_open_directory_unless_mounted(int parent, const char *name) {
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    struct open_how how = {.flags = (unsigned)flags, .resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS};
    for (;;) {
        int opened = (int)syscall(SYS_openat2, parent, name, &how, sizeof how);
        if (opened >= 0) return opened;
        // EPERM is how some containers refuse calls that they do not know.
        if (errno == ENOSYS || errno == EPERM) return open_and_compare(parent, name, flags);
        if (errno != EINTR && errno != EAGAIN) return -errno;
    }
}

int faultline_clear_protection(int descriptor) {
    int flags;
    if (ioctl(descriptor, FS_IOC_GETFLAGS, &flags) != 0) return -errno;
    int cleared = flags & ~(FS_IMMUTABLE_FL | FS_APPEND_FL);
    if (cleared == flags) return 0;
    return ioctl(descriptor, FS_IOC_SETFLAGS, &cleared) != 0 ? -errno : 1;
}
