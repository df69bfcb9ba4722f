#define _GNU_SOURCE
#include "mounting.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

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

// Waits for a child that we started; its exit status, or -errno.
static int wait_for(pid_t child) {
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return -errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static void read_message(int descriptor, char *message, unsigned size) {
    unsigned filled = 0;
    ssize_t got;
    char discard[256];
    for (;;) {
        unsigned room = size - 1 - filled;
        got = read(descriptor, room ? message + filled : discard, room ? room : sizeof discard);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        if (room) filled += (unsigned)got;
    }
    while (filled && message[filled - 1] == '\n') filled--;
    message[filled] = 0;
}

static int receive_descriptor(int socket) {
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

// Starts the helper with its standard error in `errors` and the socket at descriptor 3.
static int spawn_mount_helper(pid_t *child, const char *helper, const char *options, const char *target, int socket,
                              int errors) {
    char *arguments[] = {(char *)helper, "-o", (char *)options, "--", (char *)target, NULL};
    char *environment[] = {"_FUSE_COMMFD=3", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, errors, 2);
    posix_spawn_file_actions_adddup2(&actions, socket, 3);
    int error = posix_spawnp(child, helper, &actions, NULL, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    return -error;
}

int faultline_mount_by_helper(const char *helper, const char *options, const char *target, char *message,
                              unsigned messageSizeBytes) {
    int sockets[2], errors[2];
    message[0] = 0;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0) return -errno;
    if (pipe2(errors, O_CLOEXEC) < 0) {
        int error = errno;
        close(sockets[0]);
        close(sockets[1]);
        return -error;
    }
    pid_t child;
    int result = spawn_mount_helper(&child, helper, options, target, sockets[1], errors[1]);
    close(sockets[1]);
    close(errors[1]);
    if (result == 0) {
        result = receive_descriptor(sockets[0]);
        read_message(errors[0], message, messageSizeBytes);
        int status = wait_for(child);
        if (status != 0 && result >= 0) {
            close(result);
            result = -EPERM;
        }
    }
    close(sockets[0]);
    close(errors[0]);
    return result;
}

int faultline_unmount_by_helper(const char *helper, const char *target, int lazy) {
    char *arguments[] = {(char *)helper, "-u", lazy ? "-z" : "-q", "--", (char *)target, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    pid_t child;
    int error = posix_spawnp(&child, helper, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error) return -error;
    int status = wait_for(child);
    return status == 0 ? 0 : status < 0 ? status : -EBUSY;
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

int faultline_detach_on_spawn(posix_spawn_file_actions_t *actions, int firstClosed) {
    int error = posix_spawn_file_actions_addclosefrom_np(actions, firstClosed);
    return error ? error : posix_spawn_file_actions_addchdir_np(actions, "/");
}
