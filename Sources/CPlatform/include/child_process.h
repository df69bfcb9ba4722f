#ifndef CPLATFORM_CHILD_PROCESS_H
#define CPLATFORM_CHILD_PROCESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/types.h>

#include "sandbox.h"

/// Where a spawn failed; `error` of the result says why.
enum faultline_spawn_stage {
    FAULTLINE_SPAWN_OK = 0,
    FAULTLINE_SPAWN_CLONE,
    FAULTLINE_SPAWN_SESSION,
    FAULTLINE_SPAWN_DEATH_SIGNAL,
    FAULTLINE_SPAWN_SANDBOX,
    FAULTLINE_SPAWN_DIRECTORY,
    FAULTLINE_SPAWN_DESCRIPTORS,
    FAULTLINE_SPAWN_EXECUTE,
    FAULTLINE_SPAWN_IDENTITY,
};

/// A user to run as. Only root may take another one's place.
struct faultline_identity {
    uid_t user;
    gid_t group;
    const gid_t *groups;
    size_t group_count;
};

struct faultline_spawn_request {
    /// The program to execute: no search, no shell.
    const char *executable;
    char *const *arguments;
    char *const *environment;
    /// The child's working directory, or NULL for the caller's.
    const char *directory;
    /// Descriptors that become 0, 1, 2 and 3 of the child; the last may be -1. Every other one is closed there.
    int streams[4];
    /// The soft limit RLIMIT_LOCKS of the child, which Linux does not enforce: a mark that it and its descendants cannot lose
    /// by wiping their environment. 0 to leave it.
    uint64_t lock_limit;
    /// What confines the child, or NULL.
    const struct faultline_sandbox *sandbox;
    /// The user that the child becomes, or NULL to stay the caller. It keeps the capability CAP_DAC_OVERRIDE, so that it
    /// reaches the caller's directories.
    const struct faultline_identity *identity;
    /// The child lives on when the thread that spawned it ends, and does not keep its daemons below it.
    int outlives;
};

struct faultline_spawn_result {
    pid_t pid;
    /// Readable once the child has exited; close-on-exec, owned by the caller.
    int pidfd;
    enum faultline_spawn_stage stage;
    int error;
    /// What failed, where the stage is FAULTLINE_SPAWN_SANDBOX.
    enum faultline_sandbox_step step;
};

/// Starts a child as the leader of a session of its own, with every signal at its default and unblocked.
///
/// Unless it outlives, the child is killed when the *thread* that spawned it ends (PR_SET_PDEATHSIG), and it is the
/// subreaper of its own descendants: a daemon below it stays below it for as long as it lives. It shares the caller's memory until
/// it executes (like vfork), so this costs the same however large the caller is, and it only makes system calls in
/// between, so it is safe beside other threads. Returns when the program has been executed or when that failed.
///
/// Thread safe: callers take turns.
struct faultline_spawn_result faultline_spawn(const struct faultline_spawn_request *request);

/// Makes this process the subreaper of its descendants and makes sure that it gets to reap its children
/// (an inherited SIG_IGN for SIGCHLD would reap them behind its back).
int faultline_become_subreaper(void);

/// pidfd_open(2): a descriptor that names the process for good.
int faultline_pidfd_open(pid_t pid);

/// pidfd_send_signal(2).
int faultline_pidfd_signal(int pidfd, int signal);

/// How a process ended.
struct faultline_exit {
    /// 1 when it has ended and was reaped, 0 when it still runs, -1 when waiting failed.
    int reaped;
    int error;
    /// 1 when a signal ended it.
    int signalled;
    /// Its exit code, or the signal.
    int code;
};

/// Reaps the process behind `pidfd` if it has ended; never blocks.
struct faultline_exit faultline_reap(int pidfd);

/// pipe2(2) with O_CLOEXEC.
int faultline_pipe(int *read_end, int *write_end);

/// eventfd(2), close-on-exec and non-blocking.
int faultline_eventfd(void);

/// write(2) that answers -EPIPE without raising SIGPIPE, whatever that signal's disposition.
ssize_t faultline_write_no_signal(int descriptor, const void *bytes, size_t count);

#endif
