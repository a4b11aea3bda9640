/*
 * What people see: tables and single things, from the rows of their type.
 */
#ifndef TENFOLD_CLI_PRINT_H
#define TENFOLD_CLI_PRINT_H

#include "spec/types.h"

/* A list (a type with a member `items`) as a table, anything else as its fields, one a line. `columns`: names of
 * fields with spaces between; all when empty. width 0: as wide as it gets. */
void print_object(const struct json_type *t, const void *object, const char *columns, size_t width, struct buf *b);

/* How wide the terminal behind standard output is; 0 when it is none. */
size_t print_width(void);

/* Columns a text takes on a terminal, counting wide and combining characters. */
size_t print_columns(struct str text);

#endif
