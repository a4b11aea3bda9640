/* The tables of api/sim/realism.def. */
#include "sim/realism_types.h"

#include "spec/expand_tables.h"
