#include "network_filesystem.h"

#include <errno.h>
#include <stddef.h>
#include <sys/vfs.h>

// The f_type of each (statfs(2), linux/magic.h, and the sources of those that are not in the kernel).
static const unsigned types[] = {
    0x00006969, // NFS
    0x0000517b, // SMB
    0xff534d42, // CIFS
    0xfe534d42, // SMB2
    0x0000564c, // NCP
    0x5346414f, // AFS
    0x6b414653, // AFS of the kernel
    0x73757245, // Coda
    0x01021997, // 9P
    0x00c36400, // Ceph
    0x01161970, // GFS2
    0x7461636f, // OCFS2
    0x0bd00bd0, // Lustre
    0x47504653, // GPFS
    0x19830326, // BeeGFS
    0xaad7aaea, // PanFS
    0x786f4256, // VirtualBox shared folders
    0x65735546, // FUSE
};

int faultline_may_be_shared_by_machines(int descriptor) {
    struct statfs filesystem;
    if (fstatfs(descriptor, &filesystem) != 0) return -errno;
    for (size_t index = 0; index < sizeof types / sizeof types[0]; index++)
        if ((unsigned)filesystem.f_type == types[index]) return 1;
    return 0;
}
