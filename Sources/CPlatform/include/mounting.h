// Mounting, unmounting and waking a thread: calls that Swift's Glibc module lacks. -errno on failure.
#ifndef CPLATFORM_MOUNTING_H
#define CPLATFORM_MOUNTING_H

#include <pthread.h>

/// open(2) of /dev/fuse, read and write, closed on exec.
int faultline_open_fuse_device(void);

/// mount(2) of type fuse.faultline with MS_NOSUID | MS_NODEV.
int faultline_mount_fuse(const char *source, const char *target, const char *options);

/// Makes the mount at `target`, and all that are mounted beneath it, private (MS_REC | MS_PRIVATE): that something is
/// unmounted there is not repeated elsewhere. Symbolic links are not followed.
int faultline_make_mount_private(const char *target);

/// umount2(2) without following a symbolic link. `force` aborts the connection first (MNT_FORCE); `lazy` detaches
/// a mount that is in use (MNT_DETACH), with everything mounted beneath it, of which nothing is unmounted elsewhere.
int faultline_unmount(const char *target, int force, int lazy);

/// Receives a descriptor that another process passes (unix(7), SCM_RIGHTS): closed on exec. -EPERM when it sent none.
int faultline_receive_descriptor(int socket);

/// Makes `faultline_interrupt` able to end a blocking call: a handler that does nothing, on SIGURG, which is ignored
/// by default. Leaves another handler alone.
void faultline_prepare_interrupts(void);

/// Interrupts the blocking call, if any, of one thread.
int faultline_interrupt(pthread_t thread);

/// In the calling thread, blocks every signal but SIGURG and those that a fault of its own raises.
void faultline_block_signals(void);

/// Raises the soft limit of open files to `limit` or the hard limit, whichever is lower. Returns the soft limit
/// that holds afterwards.
unsigned long faultline_raise_open_files(unsigned long limit);

/// Makes the table of descriptors large enough for `count` of them, or for as many as the hard limit allows, before the
/// process has threads: from then on each doubling takes milliseconds. No limit is changed for good. The table stays as it
/// is when that fails.
void faultline_reserve_descriptors(unsigned int count);

#endif
