// The few C shims that Swift's Glibc module lacks. One header a concern; this one gathers them.
//
// One convention for errors: a call that fails answers -errno. (faultline_writev alone is called by libfuse, and fails as
// writev(2) does.)
#ifndef CPLATFORM_H
#define CPLATFORM_H

#include "allocator.h"
#include "block_stack.h"
#include "child_process.h"
#include "crc32c.h"
#include "descriptors.h"
#include "device_mapper.h"
#include "files.h"
#include "filesystem_type.h"
#include "futex.h"
#include "memory_filesystem.h"
#include "late_writes.h"
#include "mounting.h"
#include "network_filesystem.h"
#include "prefetch.h"
#include "processors.h"
#include "removal.h"
#include "request_marks.h"
#include "sandbox.h"
#include "standard_output.h"

// Calls that the Glibc module leaves out.
#include <sys/xattr.h>

#endif
