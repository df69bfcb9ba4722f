#define _GNU_SOURCE
#include "late_writes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct late_write {
    struct late_write *next;
    uint64_t due;
    int descriptor;
    pid_t caller;
    int may_fail;
    size_t size;
    char bytes[];
};

// How often the callers of the replies that wait are looked at.
static const uint64_t look_every = 50 * 1000 * 1000;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t earlier;
static struct late_write *first; // by when they are due
static int is_running;
static _Thread_local struct {
    uint64_t delay;
    unsigned epoch;
    pid_t caller;
    int may_fail;
} next;
// Rises when delays are ended: a reply that was to wait since before does not.
static atomic_uint epoch;
// The last interrupts of requests that did not wait yet. Requests are never numbered alike.
static struct {
    int descriptor;
    uint64_t request;
} early[64];
static unsigned early_count;

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

// Whether SIGKILL waits for the thread, or it is gone. The kernel turns every signal that ends a process without a core
// dump into SIGKILL for each of its threads (proc(5), status; kernel/signal.c, complete_signal).
static int is_dying(pid_t thread) {
    char path[40], text[4096];
    snprintf(path, sizeof path, "/proc/%d/status", thread);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return kill(thread, 0) < 0 && errno == ESRCH;
    ssize_t size = read(file, text, sizeof text - 1);
    close(file);
    text[size < 0 ? 0 : size] = 0;
    unsigned long long pending = 0;
    for (int shared = 0; shared < 2; shared++) {
        const char *line = strstr(text, shared ? "\nShdPnd:" : "\nSigPnd:");
        if (line != NULL) pending |= strtoull(line + 8, NULL, 16);
    }
    return (pending >> (SIGKILL - 1) & 1) != 0;
}

// With the lock held, here and below. Takes it out of the list.
static void write_late(struct late_write **place) {
    struct late_write *late = *place;
    *place = late->next;
    // The kernel may have given up on the request: then there is nobody to tell.
    ssize_t ignored = write(late->descriptor, late->bytes, late->size);
    (void)ignored;
    free(late);
}

static void write_for_the_dying(void) {
    for (struct late_write **place = &first; *place != NULL;) {
        if ((*place)->caller > 0 && is_dying((*place)->caller)) {
            write_late(place);
        } else {
            place = &(*place)->next;
        }
    }
}

static void *write_when_due(void *unused) {
    (void)unused;
    pthread_mutex_lock(&lock);
    uint64_t next_look = 0;
    for (;;) {
        if (first == NULL) {
            pthread_cond_wait(&earlier, &lock);
            next_look = now() + look_every;
            continue;
        }
        uint64_t time = now();
        if (first->due <= time) {
            write_late(&first);
        } else if (next_look <= time) {
            write_for_the_dying();
            next_look = now() + look_every;
        } else {
            uint64_t until = first->due < next_look ? first->due : next_look;
            struct timespec end = {(time_t)(until / 1000000000u), (long)(until % 1000000000u)};
            pthread_cond_timedwait(&earlier, &lock, &end);
        }
    }
    return NULL;
}

// With the lock held. The thread takes no signals.
static int start(void) {
    if (is_running) return 0;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&earlier, &attributes);
    pthread_condattr_destroy(&attributes);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    int error = pthread_create(&thread, NULL, write_when_due, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) return error;
    pthread_detach(thread);
    is_running = 1;
    return 0;
}

void faultline_delay_next_write(uint64_t delayNanoseconds, int32_t caller, int mayFail) {
    next.delay = delayNanoseconds;
    next.epoch = atomic_load(&epoch);
    next.caller = caller;
    next.may_fail = mayFail;
}

static uint64_t request_of(const struct late_write *late) {
    struct fuse_out_header header;
    if (late->size < sizeof header) return 0;
    memcpy(&header, late->bytes, sizeof header);
    return header.unique;
}

// With the lock held.
static int was_interrupted(const struct late_write *late) {
    if (late->caller > 0) return 0;
    for (unsigned index = 0; index < sizeof early / sizeof *early && index < early_count; index++)
        if (early[index].descriptor == late->descriptor && early[index].request == request_of(late)) return 1;
    return 0;
}

// Short parts as one: the kernel finds and maps the memory of each.
static ssize_t write_now(int descriptor, const struct iovec *parts, int count) {
    char whole[256];
    size_t size = 0;
    for (int index = 0; index < count; index++) {
        if (parts[index].iov_len > sizeof whole - size) return writev(descriptor, parts, count);
        memcpy(whole + size, parts[index].iov_base, parts[index].iov_len);
        size += parts[index].iov_len;
    }
    return write(descriptor, whole, size);
}

ssize_t faultline_writev(int descriptor, const struct iovec *parts, int count) {
    uint64_t delay = next.delay;
    next.delay = 0;
    if (delay == 0) return write_now(descriptor, parts, count);
    size_t size = 0;
    for (int index = 0; index < count; index++) size += parts[index].iov_len;
    struct late_write *late = malloc(sizeof *late + size);
    if (late == NULL) return write_now(descriptor, parts, count);
    uint64_t start_time = now();
    late->due = start_time + delay < start_time ? UINT64_MAX : start_time + delay;
    late->descriptor = descriptor;
    late->caller = next.caller;
    late->may_fail = next.may_fail;
    late->size = size;
    size_t filled = 0;
    for (int index = 0; index < count; index++) {
        memcpy(late->bytes + filled, parts[index].iov_base, parts[index].iov_len);
        filled += parts[index].iov_len;
    }
    pthread_mutex_lock(&lock);
    int waits = next.epoch == atomic_load(&epoch) && !was_interrupted(late) && start() == 0;
    if (waits) {
        struct late_write **place = &first;
        while (*place != NULL && (*place)->due <= late->due) place = &(*place)->next;
        late->next = *place;
        *place = late;
        pthread_cond_signal(&earlier);
    }
    pthread_mutex_unlock(&lock);
    if (waits) return (ssize_t)size;
    free(late);
    return writev(descriptor, parts, count);
}

void faultline_end_late_writes(int descriptor, int error) {
    pthread_mutex_lock(&lock);
    atomic_fetch_add(&epoch, 1);
    for (struct late_write **place = &first; *place != NULL;) {
        struct late_write *late = *place;
        if (late->descriptor != descriptor) {
            place = &late->next;
            continue;
        }
        if (error != 0 && late->may_fail && late->size >= sizeof(struct fuse_out_header)) {
            struct fuse_out_header header = {.len = sizeof header, .error = -error, .unique = request_of(late)};
            memcpy(late->bytes, &header, sizeof header);
            late->size = sizeof header;
        }
        write_late(place);
    }
    pthread_mutex_unlock(&lock);
}

void faultline_interrupt_late_write(int descriptor, uint64_t request) {
    pthread_mutex_lock(&lock);
    struct late_write **place = &first;
    while (*place != NULL && ((*place)->descriptor != descriptor || request_of(*place) != request))
        place = &(*place)->next;
    if (*place == NULL) {
        unsigned index = early_count++ % (sizeof early / sizeof *early);
        early[index].descriptor = descriptor;
        early[index].request = request;
    } else if ((*place)->caller <= 0) {
        write_late(place);
    }
    pthread_mutex_unlock(&lock);
}

void faultline_drop_late_writes(int descriptor) {
    pthread_mutex_lock(&lock);
    for (struct late_write **place = &first; *place != NULL;) {
        struct late_write *late = *place;
        if (late->descriptor == descriptor) {
            *place = late->next;
            free(late);
        } else {
            place = &late->next;
        }
    }
    pthread_mutex_unlock(&lock);
}
