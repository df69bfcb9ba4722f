#ifndef CPLATFORM_STANDARD_OUTPUT_H
#define CPLATFORM_STANDARD_OUTPUT_H

/// Flushes standard output. Returns 0 when everything that was ever printed there was taken, else -1.
int faultline_flush_standard_output(void);

#endif
