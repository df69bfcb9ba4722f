#define _GNU_SOURCE
#include "device_mapper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/// The header, and what follows it in a call or an answer.
typedef union {
    struct dm_ioctl head;
    char bytes[16384];
} Request;

/// The upper half of event_nr is for udev: no rules for this device (DM_UDEV_DISABLE_…_FLAG of libdevmapper).
static const unsigned noRules = 0xfu << 16;

static int prepare(Request *request, const char *name) {
    memset(request, 0, sizeof *request);
    // Minor version 0: nothing here is newer.
    request->head.version[0] = DM_VERSION_MAJOR;
    request->head.data_size = sizeof *request;
    request->head.data_start = sizeof(struct dm_ioctl);
    if (strlen(name) >= sizeof request->head.name) return -ENAMETOOLONG;
    strcpy(request->head.name, name);
    return 0;
}

static int call(unsigned long command, Request *request) {
    int control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
    if (control < 0) return -errno;
    int result = ioctl(control, command, request) == 0 ? 0 : -errno;
    close(control);
    return result;
}

/// A call that has nothing but a name and flags.
static int simple(unsigned long command, const char *name, unsigned flags, unsigned event) {
    Request request;
    int result = prepare(&request, name);
    if (result != 0) return result;
    request.head.flags = flags;
    request.head.event_nr = event;
    return call(command, &request);
}

int faultline_device_mapper_create(const char *name) {
    Request request;
    int result = prepare(&request, name);
    if (result != 0) return result;
    request.head.event_nr = noRules;
    result = call(DM_DEV_CREATE, &request);
    if (result != 0) return result;
    // huge_encode_dev of the kernel: eight bits of the minor number below the major number, the others above.
    return (int)((request.head.dev & 0xff) | ((request.head.dev >> 12) & 0xfff00));
}

int faultline_device_mapper_load(
    const char *name, uint64_t startSectors, uint64_t countSectors, const char *target, const char *parameters) {
    Request request;
    int result = prepare(&request, name);
    if (result != 0) return result;
    const size_t place = sizeof(struct dm_ioctl) + sizeof(struct dm_target_spec);
    struct dm_target_spec spec = {.sector_start = startSectors, .length = countSectors};
    if (strlen(target) >= sizeof spec.target_type || strlen(parameters) >= sizeof request - place) return -ENAMETOOLONG;
    strcpy(spec.target_type, target);
    memcpy(request.bytes + sizeof(struct dm_ioctl), &spec, sizeof spec);
    strcpy(request.bytes + place, parameters);
    request.head.target_count = 1;
    return call(DM_TABLE_LOAD, &request);
}

int faultline_device_mapper_clear(const char *name) { return simple(DM_TABLE_CLEAR, name, 0, 0); }

int faultline_device_mapper_suspend(const char *name) {
    return simple(DM_DEV_SUSPEND, name, DM_SUSPEND_FLAG | DM_SKIP_LOCKFS_FLAG | DM_NOFLUSH_FLAG, 0);
}

int faultline_device_mapper_resume(const char *name) { return simple(DM_DEV_SUSPEND, name, 0, noRules); }

int faultline_device_mapper_remove(const char *name, int isDeferred) {
    return simple(DM_DEV_REMOVE, name, isDeferred ? DM_DEFERRED_REMOVE : 0, noRules);
}

/// Copies a text that lies within an answer; what does not fit is left out.
static void copy(char *text, size_t size, const Request *request, size_t place) {
    size_t count = 0;
    if (place < sizeof *request) count = strnlen(request->bytes + place, sizeof *request - place);
    if (count >= size) count = size - 1;
    memcpy(text, request->bytes + (count ? place : 0), count);
    text[count] = 0;
}

int faultline_device_mapper_status(const char *name, char *text, size_t size) {
    Request request;
    int result = prepare(&request, name);
    if (result != 0) return result;
    request.head.flags = DM_NOFLUSH_FLAG;
    result = call(DM_TABLE_STATUS, &request);
    if (result != 0) return result;
    const int isThere = request.head.target_count > 0;
    copy(text, size, &request, isThere ? request.head.data_start + sizeof(struct dm_target_spec) : sizeof request);
    return 0;
}

int faultline_device_mapper_message(const char *name, const char *message) {
    Request request;
    int result = prepare(&request, name);
    if (result != 0) return result;
    // The header is followed by the sector, which is 0, and the text.
    const size_t place = sizeof(struct dm_ioctl) + sizeof(struct dm_target_msg);
    if (strlen(message) >= sizeof request - place) return -ENAMETOOLONG;
    strcpy(request.bytes + place, message);
    return call(DM_TARGET_MSG, &request);
}

int faultline_device_mapper_targets(char *text, size_t size) {
    Request request;
    int result = prepare(&request, "");
    if (result != 0) return result;
    result = call(DM_LIST_VERSIONS, &request);
    if (result != 0) return result;
    size_t count = 0;
    for (size_t place = request.head.data_start; place + sizeof(struct dm_target_versions) < sizeof request;) {
        struct dm_target_versions entry;
        memcpy(&entry, request.bytes + place, sizeof entry);
        const char *name = request.bytes + place + sizeof entry;
        const size_t length = strnlen(name, sizeof request - place - sizeof entry);
        if (length == 0 || count + length + 2 > size) break;
        memcpy(text + count, name, length);
        count += length;
        text[count++] = '\n';
        if (entry.next == 0) break;
        place += entry.next;
    }
    text[count] = 0;
    return 0;
}
