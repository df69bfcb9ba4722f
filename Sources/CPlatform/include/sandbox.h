// Keeping a process, and everything that it starts, from writing anywhere but in one directory.
#ifndef CPLATFORM_SANDBOX_H
#define CPLATFORM_SANDBOX_H

/// A directory that is shown in the place of another one.
struct faultline_cover {
    const char *directory;
    const char *at;
};

enum { FAULTLINE_SANDBOX_MOST_COVERS = 4 };

/// Where a sandbox could not be made.
enum faultline_sandbox_step {
    FAULTLINE_SANDBOX_CLONE,
    FAULTLINE_SANDBOX_SETGROUPS,
    FAULTLINE_SANDBOX_UID_MAP,
    FAULTLINE_SANDBOX_GID_MAP,
    FAULTLINE_SANDBOX_MAKE_PRIVATE,
    FAULTLINE_SANDBOX_OPEN_TREE,
    FAULTLINE_SANDBOX_SET_ATTRIBUTES,
    FAULTLINE_SANDBOX_MOVE_MOUNT,
    FAULTLINE_SANDBOX_CREATE_RULESET,
    FAULTLINE_SANDBOX_ADD_RULE,
    FAULTLINE_SANDBOX_NO_NEW_PRIVILEGES,
    FAULTLINE_SANDBOX_RESTRICT_SELF,
    FAULTLINE_SANDBOX_GET_CAPABILITIES,
    FAULTLINE_SANDBOX_SET_CAPABILITIES,
};

/// The call, or the file, that the step is about.
const char *faultline_sandbox_step_name(enum faultline_sandbox_step step);

/// What confines a process. Both layers may be asked for; each works alone.
///
/// In a mount namespace of its own every mount is read-only and opens no device, except `writable` (with the mounts
/// beneath it), `covers`, and /dev/null, zero, full, random and urandom. Landlock denies writing outside of the same
/// places, also through a FIFO, and keeps signals and ptrace among the confined processes.
///
/// Not confined: reading, sockets, the network, System V shared memory.
struct faultline_sandbox {
    /// The tree that may be written: an absolute path without symbolic links, which covers must not hide.
    const char *writable;
    /// At most FAULTLINE_SANDBOX_MOST_COVERS, of which later ones may lie in earlier ones.
    const struct faultline_cover *covers;
    int cover_count;
    /// Have a mount namespace.
    int mounts;
    /// Make it through a user namespace, of which `user` and `group`, those of the caller, are the only ones.
    int user_namespace;
    unsigned user;
    unsigned group;
    /// The ABI of Landlock to use; 0 for none.
    int landlock;
};

/// The flags for clone(2) of a process that is to enter.
int faultline_sandbox_clone_flags(const struct faultline_sandbox *sandbox);

/// Confines the calling process, which was cloned with the flags above. System calls only. It gives up the privileges with
/// which it could undo that. Returns 0, or -1 with errno and the failed step in `step`.
int faultline_enter_sandbox(const struct faultline_sandbox *sandbox, enum faultline_sandbox_step *step);

/// The newest ABI of Landlock that the kernel has and that can confine a store: one that lets files be renamed and
/// linked from directory to directory. 0 if there is none.
int faultline_landlock_abi(void);

/// Whether the process has CAP_SYS_ADMIN in its user namespace.
int faultline_may_mount(void);

#endif
