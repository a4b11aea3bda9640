/* The types of api/sim/checkpoint.def as C: what spec/types.h says of those of api/types.def. */
#ifndef TENFOLD_SIM_CHECKPOINT_TYPES_H
#define TENFOLD_SIM_CHECKPOINT_TYPES_H

#include "sim/stats.h"
#include "spec/types.h"

#undef SPEC_FILE
#define SPEC_FILE "api/sim/checkpoint.def"
#include "spec/expand_types.h"

#endif
