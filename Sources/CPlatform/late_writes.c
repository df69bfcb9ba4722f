#define _GNU_SOURCE
#include "late_writes.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct late_write {
    struct late_write *next;
    uint64_t due;
    int descriptor;
    size_t size;
    char bytes[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t earlier;
static struct late_write *first; // by when they are due
static int is_running;
static _Thread_local uint64_t next_delay;

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void *write_when_due(void *unused) {
    (void)unused;
    pthread_mutex_lock(&lock);
    for (;;) {
        if (first == NULL) {
            pthread_cond_wait(&earlier, &lock);
        } else if (first->due > now()) {
            struct timespec due = {(time_t)(first->due / 1000000000u), (long)(first->due % 1000000000u)};
            pthread_cond_timedwait(&earlier, &lock, &due);
        } else {
            struct late_write *due = first;
            first = first->next;
            // The kernel may have given up on the request: then there is nobody to tell.
            ssize_t ignored = write(due->descriptor, due->bytes, due->size);
            (void)ignored;
            free(due);
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

void faultline_delay_next_write(uint64_t delayNanoseconds) { next_delay = delayNanoseconds; }

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
    uint64_t delay = next_delay;
    next_delay = 0;
    if (delay == 0) return write_now(descriptor, parts, count);
    size_t size = 0;
    for (int index = 0; index < count; index++) size += parts[index].iov_len;
    struct late_write *late = malloc(sizeof *late + size);
    if (late == NULL) return write_now(descriptor, parts, count);
    uint64_t start_time = now();
    late->due = start_time + delay < start_time ? UINT64_MAX : start_time + delay;
    late->descriptor = descriptor;
    late->size = size;
    size_t filled = 0;
    for (int index = 0; index < count; index++) {
        memcpy(late->bytes + filled, parts[index].iov_base, parts[index].iov_len);
        filled += parts[index].iov_len;
    }
    pthread_mutex_lock(&lock);
    int error = start();
    if (error == 0) {
        struct late_write **place = &first;
        while (*place != NULL && (*place)->due <= late->due) place = &(*place)->next;
        late->next = *place;
        *place = late;
        pthread_cond_signal(&earlier);
    }
    pthread_mutex_unlock(&lock);
    if (error == 0) return (ssize_t)size;
    free(late);
    return writev(descriptor, parts, count);
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
