#include "standard_output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int faultline_flush_standard_output(void) {
    if (fflush(stdout) != 0) return -errno;
    return ferror(stdout) != 0 ? -EIO : 0;
}

void faultline_reserve_standard_streams(void) {
    for (int stream = 0; stream <= 2; stream++) {
        if (fcntl(stream, F_GETFD) >= 0 || errno != EBADF) continue;
        // The lowest free number is this one. The wrong access mode makes every use an error.
        int opened = open("/dev/null", stream == 0 ? O_WRONLY : O_RDONLY);
        if (opened != stream && opened >= 0) close(opened);
    }
}
