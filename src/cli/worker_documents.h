/*
 * Files of folders, cut into passages and searched (search/search.h). Read once; what is hidden, no regular file, no
 * UTF-8 or too large is left out, and links are not followed.
 */
#ifndef TENFOLD_CLI_WORKER_DOCUMENTS_H
#define TENFOLD_CLI_WORKER_DOCUMENTS_H

#include "base/arena.h"
#include "base/problem.h"
#include "spec/types.h"

struct documents;

/* ERR_USAGE naming what cannot be read, or what is too much. */
enum err documents_open(const struct str *folders, size_t count, struct documents **out, struct problem *p);
void documents_close(struct documents **d);

/* The best passage of each file that fits, best first, into found[limit]; how many. Texts are the documents'. */
size_t documents_search(struct documents *d, struct str query, size_t limit, struct retrieved_document *found);

#endif
