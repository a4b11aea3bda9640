/* The tables of api/shop/types.def. */
#include "shop/types.h"

#include "spec/expand_tables.h"
