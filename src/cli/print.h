/*
 * What people see: tables and single things, from the rows of their type; and what went wrong.
 */
#ifndef TENFOLD_CLI_PRINT_H
#define TENFOLD_CLI_PRINT_H

#include "spec/types.h"

struct cli;
struct cli_verb;

/* A list (a type with a member `items`) as a table, anything else as its fields, one a line. `columns`: names of
 * fields with spaces between; all when empty. width 0: as wide as it gets. */
void print_object(const struct json_type *t, const void *object, const char *columns, size_t width, struct buf *b);

/* An answer to standard output: with --json as JSON, else as print_object() has it. */
void print_answer(const struct cli *cli, const struct json_type *t, const void *object, const char *columns);

/* Text of several lines keeps them, each shown as json/ shows text: those behind the first indented by so many columns.
 */
void print_lines(struct str text, size_t indent, struct buf *b);

/* Any JSON value as an outline: members as "name: value", elements behind "- ", texts with their lines. Each line is
 * indented by so many columns and ended. */
void print_value(struct str json, size_t indent, struct arena *a, struct buf *b);

/* One line, without its end. `v` is the verb that failed; NULL: the line was not understood. */
void print_problem(const struct cli_verb *v, enum err e, const struct problem *p, struct buf *b);

/* How wide the terminal behind standard output is; 0 when it is none. */
size_t print_width(void);

/* Text in exactly `width` columns, or without padding when it is the last of its line; what does not fit ends in "…".
 */
void print_cell(struct buf *b, struct str text, size_t width, bool last);

/* Bytes of a text, in whole characters, that take no more than so many columns. */
size_t print_fits(struct str text, size_t columns);

/* Columns a text takes on a terminal, counting wide and combining characters. */
size_t print_columns(struct str text);

#endif
