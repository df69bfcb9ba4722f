#ifndef FAULTLINE_CFUSE_SHIM_H
#define FAULTLINE_CFUSE_SHIM_H

#define FUSE_USE_VERSION 35
#include <fuse_lowlevel.h>

#include <linux/fuse.h>
#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

// libfuse 3.14 does not know FUSE_HANDLE_KILLPRIV_V2. Without it the kernel asks for security.capability before every
// write, which about doubles the requests; answering that with ENOSYS would switch off every extended attribute.
// So the reply to INIT is completed on its way out, in the thread and for the time that is marked here.
// (A variable of the header itself would not be emitted by a Swift module that imports it.)
static inline int *faultline_answering_init(void) {
    static _Thread_local int is_answering;
    return &is_answering;
}

// The bit of FUSE_DIRECT_IO_ALLOW_MMAP in flags2 (Linux 6.6): a file whose reads bypass the page cache, because a rule
// is about them, can still be mapped.
static inline void faultline_complete_init(struct fuse_init_out *init) {
    init->flags |= FUSE_HANDLE_KILLPRIV_V2 | FUSE_INIT_EXT;
    init->flags2 |= 1u << 4;
}

// In CPlatform: now, or later when a fault holds the reply up.
ssize_t faultline_writev(int descriptor, const struct iovec *parts, int count);

static inline ssize_t faultline_fuse_write(int fd, struct iovec *parts, int count, void *userdata) {
    (void)userdata;
    if (*faultline_answering_init() && count == 2 && parts[1].iov_len >= offsetof(struct fuse_init_out, flags) + 4)
        faultline_complete_init(parts[1].iov_base);
    return faultline_writev(fd, parts, count);
}

static inline ssize_t faultline_fuse_read(int fd, void *buffer, size_t size, void *userdata) {
    (void)userdata;
    return read(fd, buffer, size);
}

/// Attaches a session to an open /dev/fuse that is mounted already; 0 or -errno. The session then owns `fd`.
static inline int faultline_fuse_attach(struct fuse_session *session, int fd) {
    struct fuse_custom_io io = {.writev = faultline_fuse_write, .read = faultline_fuse_read};
    return fuse_session_custom_io(session, &io, fd);
}

/// Moves a buffer that libfuse has made to where the data of a write begins a page, which the kernel copies faster. Answers
/// what is then to be freed in place of the buffer's memory, or NULL when all is as before.
static inline void *faultline_fuse_align(struct fuse_buf *buffer) {
    const size_t page = 4096, head = sizeof(struct fuse_in_header) + sizeof(struct fuse_write_in);
    void *room = NULL;
    if (posix_memalign(&room, page, malloc_usable_size(buffer->mem) + page) != 0) return NULL;
    free(buffer->mem);
    buffer->mem = (char *)room + page - head;
    return room;
}

/// Whether a request asks that set-user-ID and set-group-ID bits be taken away: with FUSE_HANDLE_KILLPRIV_V2 the kernel
/// leaves that to the filesystem, and libfuse 3.14 does not pass it on.
static inline int faultline_fuse_kills_privileges(const struct fuse_buf *request) {
    const struct fuse_in_header *head = request->mem;
    const void *body = head + 1;
    if (head->opcode == FUSE_WRITE && request->size >= sizeof *head + sizeof(struct fuse_write_in))
        return (((const struct fuse_write_in *)body)->write_flags & FUSE_WRITE_KILL_SUIDGID) != 0;
    if (head->opcode == FUSE_SETATTR && request->size >= sizeof *head + sizeof(struct fuse_setattr_in))
        return (((const struct fuse_setattr_in *)body)->valid & FATTR_KILL_SUIDGID) != 0;
    return 0;
}

/// The number of the request whose caller a signal has reached; 0 when this is another request.
static inline uint64_t faultline_fuse_interrupted(const struct fuse_buf *request) {
    const struct fuse_in_header *head = request->mem;
    if (head->opcode != FUSE_INTERRUPT || request->size < sizeof *head + sizeof(struct fuse_interrupt_in)) return 0;
    return ((const struct fuse_interrupt_in *)(const void *)(head + 1))->unique;
}

/// Processes the first request of a session, which is INIT.
static inline void faultline_fuse_process_init(struct fuse_session *session, const struct fuse_buf *request) {
    *faultline_answering_init() = 1;
    fuse_session_process_buf(session, request);
    *faultline_answering_init() = 0;
}

#endif
