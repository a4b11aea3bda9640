/* The tables of api/sim/checkpoint.def. */
#include "sim/checkpoint_types.h"

#include "spec/expand_tables.h"
