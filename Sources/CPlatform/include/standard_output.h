#ifndef CPLATFORM_STANDARD_OUTPUT_H
#define CPLATFORM_STANDARD_OUTPUT_H

/// Flushes standard output. Returns 0 when everything that was ever printed there was taken, else -errno (-EIO when the
/// reason of an earlier failure is not known any more).
int faultline_flush_standard_output(void);

/// Gives each of the descriptors 0, 1 and 2 that is closed to something that can be neither read nor written: else the
/// next file to be opened would get its number, and what is printed would be written into that file.
void faultline_reserve_standard_streams(void);

#endif
