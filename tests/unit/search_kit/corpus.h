/* Real texts that a machine may have: Debian's package lists, and MCP servers as their registry lists them. */
#ifndef TENFOLD_TESTS_SEARCH_CORPUS_H
#define TENFOLD_TESTS_SEARCH_CORPUS_H

#include "base/vec.h"
#include "search/search.h"

struct corpus_doc {
	struct str name, tags, description, section, priority;
};

struct corpus {
	VEC(struct corpus_doc) docs;
	VEC(char) bytes;
};

enum { CORPUS_FIELDS = 3, CORPUS_DIMENSIONS = 2 };
extern const struct search_config corpus_config; /* name, tags, description; section, priority */

/* False, with nothing in it, when the machine has none. */
bool corpus_debian(struct corpus *c); /* what `apt-cache dumpavail` prints, each name once */
bool corpus_mcp(struct corpus *c, const char *path);
void corpus_free(struct corpus *c);

void corpus_put(struct search *s, const struct corpus_doc *d, int64_t id);

#endif
