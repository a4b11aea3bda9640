/* The tables of api/sim/run.def. */
#include "sim/run_types.h"

#include "spec/expand_tables.h"
