#include "standard_output.h"

#include <stdio.h>

int faultline_flush_standard_output(void) { return fflush(stdout) != 0 || ferror(stdout) != 0 ? -1 : 0; }
