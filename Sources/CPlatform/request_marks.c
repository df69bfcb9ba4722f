#include "request_marks.h"

static _Thread_local int privileges_killed;

void faultline_mark_privileges_killed(int killed) { privileges_killed = killed; }

int faultline_privileges_killed(void) { return privileges_killed; }
