/* The types of the demo shop, api/shop/types.def, as C: what spec/types.h says of those of api/types.def. */
#ifndef TENFOLD_SHOP_TYPES_H
#define TENFOLD_SHOP_TYPES_H

#include "spec/types.h"

#undef SPEC_FILE
#define SPEC_FILE "api/shop/types.def"
#include "spec/expand_types.h"

#endif
