/* The types of api/sim/realism.def as C: what spec/types.h says of those of api/types.def. */
#ifndef TENFOLD_SIM_REALISM_TYPES_H
#define TENFOLD_SIM_REALISM_TYPES_H

#include "spec/types.h"

#undef SPEC_FILE
#define SPEC_FILE "api/sim/realism.def"
#include "spec/expand_types.h"

#endif
