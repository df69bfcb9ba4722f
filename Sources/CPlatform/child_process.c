#define _GNU_SOURCE
#include "child_process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

// What the child and its suspended parent share. Everything that the child writes is read only after it has
// executed or ended.
struct launch {
    const struct faultline_spawn_request *request;
    pid_t parent;
    volatile enum faultline_spawn_stage stage;
    volatile int error;
    volatile enum faultline_sandbox_step step;
};

static int give_up(struct launch *launch, enum faultline_spawn_stage stage) {
    launch->error = errno;
    launch->stage = stage;
    _exit(127);
}

static int arrange_streams(const int sources[4]) {
    int moved[4];
    int count = sources[3] < 0 ? 3 : 4;
    // First out of the way of 0 to 3, so that no dup2 overwrites a source that is still needed.
    for (int i = 0; i < count; i++)
        if ((moved[i] = fcntl(sources[i], F_DUPFD, 4)) < 0) return -1;
    for (int i = 0; i < count; i++)
        if (dup2(moved[i], i) < 0) return -1;
    return (int)syscall(SYS_close_range, (unsigned)count, UINT_MAX, 0u);
}

// Raw system calls: those of glibc would change every thread of the parent.
static int become(const struct faultline_identity *identity) {
    if (prctl(PR_SET_KEEPCAPS, 1) != 0) return -1;
    uid_t user = identity->user;
    gid_t group = identity->group;
    if (syscall(SYS_setgroups, identity->group_count, identity->groups) != 0) return -1;
    if (syscall(SYS_setresgid, group, group, group) != 0) return -1;
    if (syscall(SYS_setresuid, user, user, user) != 0) return -1;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[2] = {{0}, {0}};
    sets[0].permitted = sets[0].effective = sets[0].inheritable = 1u << CAP_DAC_OVERRIDE;
    if (syscall(SYS_capset, &header, sets) != 0) return -1;
    return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0);
}

// Runs in the parent's memory on a stack of its own, with every signal blocked: system calls only.
static int child(void *context) {
    struct launch *launch = context;
    const struct faultline_spawn_request *request = launch->request;

    // The child's own copy. All zeros is SIG_DFL without flags, in the kernel's layout; through glibc, the two signals
    // that it keeps for itself would stay ignored if they were.
    static const uint64_t standard[8];
    for (int number = 1; number < _NSIG; number++)
        syscall(SYS_rt_sigaction, number, standard, NULL, sizeof(uint64_t));

    if (setsid() < 0) give_up(launch, FAULTLINE_SPAWN_SESSION);
    if (!request->outlives) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) give_up(launch, FAULTLINE_SPAWN_DEATH_SIGNAL);
        // The parent may have died before the line above: nobody would ever send the signal.
        if (getppid() != launch->parent) _exit(127);
        if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) give_up(launch, FAULTLINE_SPAWN_DEATH_SIGNAL);
    }
    if (request->lock_limit) {
        // A mark that cannot be set, because somebody lowered the hard limit, is not worth a failure.
        struct rlimit limit;
        if (getrlimit(RLIMIT_LOCKS, &limit) == 0 && request->lock_limit <= limit.rlim_max) {
            limit.rlim_cur = request->lock_limit;
            setrlimit(RLIMIT_LOCKS, &limit);
        }
    }
    if (request->sandbox) {
        enum faultline_sandbox_step step;
        if (faultline_enter_sandbox(request->sandbox, &step) != 0) {
            launch->step = step;
            give_up(launch, FAULTLINE_SPAWN_SANDBOX);
        }
    }
    if (request->directory && chdir(request->directory) != 0) give_up(launch, FAULTLINE_SPAWN_DIRECTORY);
    if (arrange_streams(request->streams) != 0) give_up(launch, FAULTLINE_SPAWN_DESCRIPTORS);
    if (request->identity) {
        if (become(request->identity) != 0) give_up(launch, FAULTLINE_SPAWN_IDENTITY);
        // Another user clears it.
        if (!request->outlives && prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) give_up(launch, FAULTLINE_SPAWN_DEATH_SIGNAL);
    }

    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(request->executable, request->arguments, request->environment);
    return give_up(launch, FAULTLINE_SPAWN_EXECUTE);
}

// The stack of every child, one after the other.
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static struct faultline_spawn_result spawn_in_turn(const struct faultline_spawn_request *request) {
    enum { stack_size_bytes = 64 * 1024 };
    static char *stack;
    struct faultline_spawn_result result = {.pid = -1, .pidfd = -1};
    if (!stack) {
        void *memory = mmap(NULL, stack_size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
        if (memory == MAP_FAILED) {
            result.stage = FAULTLINE_SPAWN_CLONE;
            result.error = errno;
            return result;
        }
        stack = memory;
    }

    struct launch launch = {.request = request, .parent = getpid()};
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int pidfd = -1;
    int namespaces = request->sandbox ? faultline_sandbox_clone_flags(request->sandbox) : 0;
    pid_t pid = clone(
        child, stack + stack_size_bytes, namespaces | CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &launch, &pidfd);
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);

    if (pid < 0) {
        result.stage = namespaces ? FAULTLINE_SPAWN_SANDBOX : FAULTLINE_SPAWN_CLONE;
        result.step = FAULTLINE_SANDBOX_CLONE;
        result.error = error;
        return result;
    }
    if (launch.stage != FAULTLINE_SPAWN_OK) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
        close(pidfd);
        result.stage = launch.stage;
        result.error = launch.error;
        result.step = launch.step;
        return result;
    }
    result.pid = pid;
    result.pidfd = pidfd;
    return result;
}

struct faultline_spawn_result faultline_spawn(const struct faultline_spawn_request *request) {
    pthread_mutex_lock(&turn);
    struct faultline_spawn_result result = spawn_in_turn(request);
    pthread_mutex_unlock(&turn);
    return result;
}

int faultline_become_subreaper(void) {
    struct sigaction child_signal;
    if (sigaction(SIGCHLD, NULL, &child_signal) != 0) return -errno;
    if (child_signal.sa_handler == SIG_IGN) {
        child_signal.sa_handler = SIG_DFL;
        if (sigaction(SIGCHLD, &child_signal, NULL) != 0) return -errno;
    }
    return prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 ? 0 : -errno;
}

int faultline_pidfd_open(pid_t pid) {
    int opened = (int)syscall(SYS_pidfd_open, pid, 0);
    return opened < 0 ? -errno : opened;
}

int faultline_pidfd_signal(int pidfd, int signal) {
    return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) == 0 ? 0 : -errno;
}

struct faultline_exit faultline_reap(int pidfd) {
    struct faultline_exit result = {0};
    siginfo_t info;
    memset(&info, 0, sizeof info);
    int status;
    do {
        status = waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG);
    } while (status != 0 && errno == EINTR);
    if (status != 0) {
        result.reaped = -1;
        result.error = errno;
    } else if (info.si_pid != 0) {
        result.reaped = 1;
        result.signalled = info.si_code != CLD_EXITED;
        result.code = info.si_status;
    }
    return result;
}

int faultline_pipe(int *read_end, int *write_end) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
    *read_end = ends[0];
    *write_end = ends[1];
    return 0;
}

int faultline_eventfd(void) {
    int made = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return made < 0 ? -errno : made;
}

ssize_t faultline_write_no_signal(int descriptor, const void *bytes, size_t count) {
    sigset_t pipe_signal, before, pending;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    ssize_t written = write(descriptor, bytes, count);
    int error = errno;
    // A SIGPIPE that was pending before this write is not ours to swallow.
    if (written < 0 && error == EPIPE && !sigismember(&pending, SIGPIPE)) {
        struct timespec now = {0};
        while (sigtimedwait(&pipe_signal, NULL, &now) < 0 && errno == EINTR) {}
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return written < 0 ? -error : written;
}
