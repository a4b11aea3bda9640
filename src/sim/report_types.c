/* The tables of api/sim/report.def. */
#include "sim/report_types.h"

#include "spec/expand_tables.h"
