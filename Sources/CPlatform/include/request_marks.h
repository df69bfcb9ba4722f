// What a request of the kernel says beyond what libfuse passes on, for the thread that serves it.
#ifndef CPLATFORM_REQUEST_MARKS_H
#define CPLATFORM_REQUEST_MARKS_H

/// Marks the calling thread's request: its writer may not keep set-user-ID and set-group-ID bits.
void faultline_mark_privileges_killed(int killed);

/// Whether it was marked.
int faultline_privileges_killed(void);

#endif
