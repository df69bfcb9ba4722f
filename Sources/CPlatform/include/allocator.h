#ifndef CPLATFORM_ALLOCATOR_H
#define CPLATFORM_ALLOCATOR_H

/// Gives memory that was freed back to the system, where the allocator can (malloc_trim(3)).
void faultline_trim_memory(void);

#endif
