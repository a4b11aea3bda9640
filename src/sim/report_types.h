/* The types of api/sim/report.def as C: what spec/types.h says of those of api/types.def. */
#ifndef TENFOLD_SIM_REPORT_TYPES_H
#define TENFOLD_SIM_REPORT_TYPES_H

#include "sim/run_types.h"

#undef SPEC_FILE
#define SPEC_FILE "api/sim/report.def"
#include "spec/expand_types.h"

#endif
