/* The types of api/sim/run.def as C: what spec/types.h says of those of api/types.def. */
#ifndef TENFOLD_SIM_RUN_TYPES_H
#define TENFOLD_SIM_RUN_TYPES_H

#include "sim/checkpoint_types.h"
#include "sim/realism_types.h"

#undef SPEC_FILE
#define SPEC_FILE "api/sim/run.def"
#include "spec/expand_types.h"

#endif
