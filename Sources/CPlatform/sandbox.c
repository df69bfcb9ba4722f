#define _GNU_SOURCE
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// Numbers that all architectures share, for headers that are older than the calls.
enum { OPEN_TREE = 428, MOVE_MOUNT = 429, MOUNT_SETATTR = 442 };
enum { LANDLOCK_CREATE_RULESET = 444, LANDLOCK_ADD_RULE = 445, LANDLOCK_RESTRICT_SELF = 446 };
enum { CLONE_TREE = 1, CLOSE_TREE_ON_EXEC = O_CLOEXEC, FROM_EMPTY_PATH = 4, FROM_EMPTY_DIRECTORY = 0x1000, RECURSIVELY = 0x8000 };

static int fail(enum faultline_sandbox_step *step, enum faultline_sandbox_step what) {
    *step = what;
    return -1;
}

const char *faultline_sandbox_step_name(enum faultline_sandbox_step step) {
    switch (step) {
    case FAULTLINE_SANDBOX_CLONE: return "clone";
    case FAULTLINE_SANDBOX_SETGROUPS: return "/proc/self/setgroups";
    case FAULTLINE_SANDBOX_UID_MAP: return "/proc/self/uid_map";
    case FAULTLINE_SANDBOX_GID_MAP: return "/proc/self/gid_map";
    case FAULTLINE_SANDBOX_MAKE_PRIVATE: return "mount(MS_PRIVATE)";
    case FAULTLINE_SANDBOX_OPEN_TREE: return "open_tree";
    case FAULTLINE_SANDBOX_SET_ATTRIBUTES: return "mount_setattr";
    case FAULTLINE_SANDBOX_MOVE_MOUNT: return "move_mount";
    case FAULTLINE_SANDBOX_CREATE_RULESET: return "landlock_create_ruleset";
    case FAULTLINE_SANDBOX_ADD_RULE: return "landlock_add_rule";
    case FAULTLINE_SANDBOX_NO_NEW_PRIVILEGES: return "prctl(PR_SET_NO_NEW_PRIVS)";
    case FAULTLINE_SANDBOX_RESTRICT_SELF: return "landlock_restrict_self";
    case FAULTLINE_SANDBOX_GET_CAPABILITIES: return "capget";
    case FAULTLINE_SANDBOX_SET_CAPABILITIES: return "capset";
    }
    return "sandbox";
}

// Devices that any program may count on, and that change nothing.
static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"};
enum { device_count = sizeof devices / sizeof devices[0], most_covers = FAULTLINE_SANDBOX_MOST_COVERS };

// MARK: The user namespace

static int write_text(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t written = write(file, text, strlen(text));
    int error = errno;
    close(file);
    errno = error;
    return written < 0 ? -1 : 0;
}

// "ID ID 1": no allocation and no stdio beside suspended threads.
static int write_map(const char *path, unsigned id) {
    char digits[16], text[40];
    int count = 0, place = 0;
    do digits[count++] = (char)('0' + id % 10);
    while ((id /= 10) != 0);
    for (int round = 0; round < 2; round++) {
        for (int index = count; index-- > 0;) text[place++] = digits[index];
        text[place++] = ' ';
    }
    text[place++] = '1';
    text[place] = 0;
    return write_text(path, text);
}

static int map_user(unsigned user, unsigned group, enum faultline_sandbox_step *step) {
    if (write_text("/proc/self/setgroups", "deny") < 0) return fail(step, FAULTLINE_SANDBOX_SETGROUPS);
    if (write_map("/proc/self/uid_map", user) < 0) return fail(step, FAULTLINE_SANDBOX_UID_MAP);
    if (write_map("/proc/self/gid_map", group) < 0) return fail(step, FAULTLINE_SANDBOX_GID_MAP);
    return 0;
}

// MARK: Mounts

static int clone_tree(const char *path, int flags) {
    return (int)syscall(OPEN_TREE, AT_FDCWD, path, CLONE_TREE | CLOSE_TREE_ON_EXEC | flags);
}

// A directory that confined processes may write is reached through none of their links: one that came before may have put
// a link there, and what it leads to would be writable for the next.
static int open_real_directory(const char *path) {
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
    int opened = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
    // EPERM is how some containers refuse calls that they do not know.
    if (opened >= 0 || (errno != ENOSYS && errno != EPERM)) return opened;
    return open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int clone_real_tree(const char *path, int flags) {
    int directory = open_real_directory(path);
    if (directory < 0) return -1;
    int tree = (int)syscall(OPEN_TREE, directory, "", FROM_EMPTY_DIRECTORY | CLONE_TREE | CLOSE_TREE_ON_EXEC | flags);
    int error = errno;
    close(directory);
    errno = error;
    return tree;
}

static int set_attributes(int tree, const char *path, int flags, uint64_t attributes) {
    struct mount_attr change = {.attr_set = attributes};
    return (int)syscall(MOUNT_SETATTR, tree, path, flags, &change, sizeof change);
}

static int put_tree(int tree, const char *at) {
    return (int)syscall(MOVE_MOUNT, tree, "", AT_FDCWD, at, FROM_EMPTY_PATH);
}

static int restrict_mounts(const struct faultline_sandbox *sandbox, enum faultline_sandbox_step *step) {
    // Private: a mount that somebody makes elsewhere later, as an automounter does, would come in writable.
    if (syscall(SYS_mount, NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) return fail(step, FAULTLINE_SANDBOX_MAKE_PRIVATE);
    // What stays writable is cloned while it is, and put in its place when all else is closed.
    int covers[most_covers], open_devices[device_count];
    int writable = clone_real_tree(sandbox->writable, RECURSIVELY);
    if (writable < 0) return fail(step, FAULTLINE_SANDBOX_OPEN_TREE);
    for (int index = 0; index < sandbox->cover_count; index++)
        if ((covers[index] = clone_real_tree(sandbox->covers[index].directory, 0)) < 0)
            return fail(step, FAULTLINE_SANDBOX_OPEN_TREE);
    if (set_attributes(AT_FDCWD, "/", RECURSIVELY, MOUNT_ATTR_RDONLY) < 0) return fail(step, FAULTLINE_SANDBOX_SET_ATTRIBUTES);
    for (int index = 0; index < device_count; index++) open_devices[index] = clone_tree(devices[index], 0);
    if (set_attributes(AT_FDCWD, "/", RECURSIVELY, MOUNT_ATTR_NODEV) < 0) return fail(step, FAULTLINE_SANDBOX_SET_ATTRIBUTES);
    for (int index = 0; index < device_count; index++) {
        if (open_devices[index] < 0) continue;
        if (put_tree(open_devices[index], devices[index]) < 0) return fail(step, FAULTLINE_SANDBOX_MOVE_MOUNT);
        close(open_devices[index]);
    }
    for (int index = 0; index < sandbox->cover_count; index++) {
        if (set_attributes(covers[index], "", AT_EMPTY_PATH, MOUNT_ATTR_NODEV) < 0) return fail(step, FAULTLINE_SANDBOX_SET_ATTRIBUTES);
        if (put_tree(covers[index], sandbox->covers[index].at) < 0) return fail(step, FAULTLINE_SANDBOX_MOVE_MOUNT);
        close(covers[index]);
    }
    if (set_attributes(writable, "", AT_EMPTY_PATH | RECURSIVELY, MOUNT_ATTR_NODEV) < 0)
        return fail(step, FAULTLINE_SANDBOX_SET_ATTRIBUTES);
    if (put_tree(writable, sandbox->writable) < 0) return fail(step, FAULTLINE_SANDBOX_MOVE_MOUNT);
    close(writable);
    return 0;
}

// MARK: Landlock

// linux/landlock.h as of ABI 6; a kernel with an older one is given as much of it as it knows.
struct ruleset { uint64_t files, network, scopes; };
struct __attribute__((packed)) beneath { uint64_t allowed; int32_t parent; };

enum {
    WRITE_FILE = 1 << 1, REMOVE_DIR = 1 << 4, REMOVE_FILE = 1 << 5, MAKE_ALL = 0x7f << 6, REFER = 1 << 13,
    TRUNCATE = 1 << 14, SCOPE_SIGNAL = 1 << 1,
};

int faultline_landlock_abi(void) {
    enum { ask_for_version = 1, first_with_refer = 2 };
    long abi = syscall(LANDLOCK_CREATE_RULESET, NULL, 0, ask_for_version);
    return abi < first_with_refer ? 0 : (int)abi;
}

// Takes the descriptor over.
static int allow(int rules, int place, uint64_t access) {
    enum { path_beneath = 1 };
    struct beneath rule = {.allowed = access, .parent = place};
    if (rule.parent < 0) return -1;
    int result = (int)syscall(LANDLOCK_ADD_RULE, rules, path_beneath, &rule, 0);
    int error = errno;
    close(rule.parent);
    errno = error;
    return result;
}

static int restrict_by_landlock(const struct faultline_sandbox *sandbox, enum faultline_sandbox_step *step) {
    uint64_t file = WRITE_FILE | (sandbox->landlock >= 3 ? TRUNCATE : 0);
    struct ruleset all = {.files = file | REMOVE_DIR | REMOVE_FILE | MAKE_ALL | REFER, .scopes = SCOPE_SIGNAL};
    size_t size = sandbox->landlock >= 6 ? sizeof all : sizeof all.files;
    int rules = (int)syscall(LANDLOCK_CREATE_RULESET, &all, size, 0);
    if (rules < 0) return fail(step, FAULTLINE_SANDBOX_CREATE_RULESET);
    if (allow(rules, open_real_directory(sandbox->writable), all.files) < 0) return fail(step, FAULTLINE_SANDBOX_ADD_RULE);
    for (int index = 0; index < sandbox->cover_count; index++) {
        // With mounts, one of them may hide the path that the directory had.
        const struct faultline_cover *cover = &sandbox->covers[index];
        int place = sandbox->mounts ? open(cover->at, O_PATH | O_CLOEXEC) : open_real_directory(cover->directory);
        if (allow(rules, place, all.files) < 0) return fail(step, FAULTLINE_SANDBOX_ADD_RULE);
    }
    for (int index = 0; index < device_count; index++)
        if (allow(rules, open(devices[index], O_PATH | O_CLOEXEC), file) < 0 && errno != ENOENT) return fail(step, FAULTLINE_SANDBOX_ADD_RULE);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return fail(step, FAULTLINE_SANDBOX_NO_NEW_PRIVILEGES);
    if (syscall(LANDLOCK_RESTRICT_SELF, rules, 0) < 0) return fail(step, FAULTLINE_SANDBOX_RESTRICT_SELF);
    close(rules);
    return 0;
}

// MARK: Privileges

#define BIT(capability) (UINT64_C(1) << (capability))

// What a store that runs as root may need for its own files and processes. Not: mounting, making and driving devices,
// looking into other processes, opening files by handle, changing the system.
static const uint64_t kept_capabilities =
    BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) | BIT(CAP_FSETID) | BIT(CAP_KILL) | BIT(CAP_SETGID) |
    BIT(CAP_SETUID) | BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_IPC_LOCK) | BIT(CAP_IPC_OWNER) | BIT(CAP_SYS_NICE) |
    BIT(CAP_SYS_RESOURCE) | BIT(CAP_LEASE);

static int capabilities(long call, struct __user_cap_data_struct sets[2]) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    return (int)syscall(call, &header, sets);
}

static int drop_capabilities(enum faultline_sandbox_step *step) {
    // An ordinary user has none to drop: EPERM.
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
        if (!(kept_capabilities & BIT(capability))) prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    struct __user_cap_data_struct sets[2];
    if (capabilities(SYS_capget, sets) < 0) return fail(step, FAULTLINE_SANDBOX_GET_CAPABILITIES);
    for (int half = 0; half < 2; half++) {
        uint32_t kept = (uint32_t)(kept_capabilities >> (32 * half));
        sets[half].permitted &= kept;
        sets[half].effective &= kept;
        sets[half].inheritable = 0;
    }
    return capabilities(SYS_capset, sets) < 0 ? fail(step, FAULTLINE_SANDBOX_SET_CAPABILITIES) : 0;
}

int faultline_may_mount(void) {
    struct __user_cap_data_struct sets[2];
    if (capabilities(SYS_capget, sets) < 0) return 0;
    return (sets[CAP_SYS_ADMIN / 32].effective >> (CAP_SYS_ADMIN % 32)) & 1;
}

// MARK: All of it

int faultline_sandbox_clone_flags(const struct faultline_sandbox *sandbox) {
    return (sandbox->mounts ? CLONE_NEWNS : 0) | (sandbox->mounts && sandbox->user_namespace ? CLONE_NEWUSER : 0);
}

int faultline_enter_sandbox(const struct faultline_sandbox *sandbox, enum faultline_sandbox_step *step) {
    if (sandbox->mounts) {
        if (sandbox->user_namespace && map_user(sandbox->user, sandbox->group, step) < 0) return -1;
        if (restrict_mounts(sandbox, step) < 0) return -1;
    }
    // A confined process cannot change mounts any more, so this comes after them.
    if (sandbox->landlock && restrict_by_landlock(sandbox, step) < 0) return -1;
    return drop_capabilities(step);
}
