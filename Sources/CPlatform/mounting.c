#define _GNU_SOURCE
#include "mounting.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

int faultline_open_fuse_device(void) {
    int descriptor = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    return descriptor < 0 ? -errno : descriptor;
}

int faultline_mount_fuse(const char *source, const char *target, const char *options) {
    return mount(source, target, "fuse.faultline", MS_NOSUID | MS_NODEV, options) < 0 ? -errno : 0;
}

int faultline_make_mount_private(const char *target) {
    int held = open(target, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (held < 0) return -errno;
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", held);
    int result = mount(NULL, path, NULL, MS_REC | MS_PRIVATE, NULL) < 0 ? -errno : 0;
    close(held);
    return result;
}

int faultline_unmount(const char *target, int force, int lazy) {
    // A target may have mounted a copy of other mounts beneath: detaching it would detach the originals.
    if (lazy) faultline_make_mount_private(target);
    int flags = UMOUNT_NOFOLLOW | (force ? MNT_FORCE : 0) | (lazy ? MNT_DETACH : 0);
    return umount2(target, flags) < 0 ? -errno : 0;
}

int faultline_receive_descriptor(int socket) {
    char byte;
    union { struct cmsghdr header; char space[CMSG_SPACE(sizeof(int))]; } control;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                             .msg_controllen = sizeof control};
    ssize_t got;
    do got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got < 0) return -errno;
    struct cmsghdr *header = got == 0 ? NULL : CMSG_FIRSTHDR(&message);
    if (header == NULL || header->cmsg_type != SCM_RIGHTS) return -EPERM;
    int descriptor;
    memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    return descriptor;
}

static void ignore_interrupt(int signal) { (void)signal; }

void faultline_prepare_interrupts(void) {
    struct sigaction current;
    if (sigaction(SIGURG, NULL, &current) < 0 || current.sa_handler != SIG_DFL) return;
    struct sigaction ours = {.sa_handler = ignore_interrupt};
    sigemptyset(&ours.sa_mask);
    sigaction(SIGURG, &ours, NULL);
}

int faultline_interrupt(pthread_t thread) { return -pthread_kill(thread, SIGURG); }

void faultline_block_signals(void) {
    sigset_t set;
    sigfillset(&set);
    sigdelset(&set, SIGURG);
    sigdelset(&set, SIGSEGV);
    sigdelset(&set, SIGBUS);
    sigdelset(&set, SIGILL);
    sigdelset(&set, SIGFPE);
    sigdelset(&set, SIGTRAP);
    sigdelset(&set, SIGABRT);
    pthread_sigmask(SIG_SETMASK, &set, NULL);
}

unsigned long faultline_raise_open_files(unsigned long limit) {
    struct rlimit limits;
    if (getrlimit(RLIMIT_NOFILE, &limits) < 0) return 256;
    if (limits.rlim_cur >= limit) return limits.rlim_cur;
    struct rlimit raised = limits;
    raised.rlim_cur = limits.rlim_max < limit ? limits.rlim_max : limit;
    return setrlimit(RLIMIT_NOFILE, &raised) < 0 ? limits.rlim_cur : raised.rlim_cur;
}

// A table that grows while threads share it costs a grace period of RCU each time it doubles.
void faultline_reserve_descriptors(unsigned int count) {
    struct rlimit limits;
    if (getrlimit(RLIMIT_NOFILE, &limits) < 0) return;
    int any = open("/", O_PATH | O_CLOEXEC);
    if (any < 0) return;
    unsigned long allowed = faultline_raise_open_files(count);
    int last = fcntl(any, F_DUPFD_CLOEXEC, (int)(allowed < count ? allowed : count) - 1);
    if (last >= 0) close(last);
    close(any);
    if (allowed != limits.rlim_cur) setrlimit(RLIMIT_NOFILE, &limits);
}
