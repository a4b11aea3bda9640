/*
 * What the tables say about verbs and flags, in words: for --help, the manual page and the shells.
 */
#ifndef TENFOLD_CLI_HELP_H
#define TENFOLD_CLI_HELP_H

#include "cli/parse.h"

/* Help about a verb, a group, or everything, no wider than `width`. */
void help_print(const struct cli_line *line, size_t width, struct buf *b);

/* "work add TYPE [TITLE] [FLAGS]", "worker run [FLAGS] -- COMMAND…" */
void help_usage(const struct cli_verb *v, struct buf *b);
/* "--priority critical|high|medium|low", "--[no-]retry" */
void help_flag(const struct json_field *f, struct buf *b);
/* What it means, with its siblings named as flags. verb NULL: a global flag. */
void help_doc(const struct cli_verb *v, const struct json_field *f, struct buf *b);
/* "required; at most 64 characters"; nothing when there is nothing to say. verb NULL: a global flag. */
void help_notes(const struct cli_verb *v, const struct json_field *f, struct buf *b);
/* Does the verb talk to the server, or look into the data directory? Else it takes no global flags but --help. */
bool help_takes_globals(const struct cli_verb *v);
/* Is the global flag hidden by one of the verb's own? */
bool help_is_shadowed(const struct cli_verb *v, const struct json_field *global);

#endif
