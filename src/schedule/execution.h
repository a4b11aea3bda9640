/* The execution that a schedule begins, as it is given: what of it can be wrong before it fires. */
#ifndef TENFOLD_SCHEDULE_EXECUTION_H
#define TENFOLD_SCHEDULE_EXECUTION_H

#include "http/call.h"

/* ERR_INVALID names the member; OK without an execution. Reads rows of the caller's tenant. */
enum err schedule_check_execution(struct call *c, const struct schedule_new *in);

#endif
