/*
 * Handles of imported agents. They depend on the name and the identity alone, never on what the server has or on the
 * order of the file, so that importing again finds the same agents; only of two different things of one import whose
 * names read alike the second is marked.
 *
 *   GitHub MCP                      github-mcp
 *   libreoffice-writer-nogui-data5  …  longer than a handle: its beginning, then -HASH
 *   g++                             g-HASH: the plus signs were lost
 *   天気                            agent-HASH
 */
#include "import/agents.h"

#include "base/id.h"

#include <string.h>

enum { MARK_CHARACTERS = 6, MARK_BYTES = 4, KEPT_MAX = HANDLE_MAX - MARK_CHARACTERS - 1, ROOM = HANDLE_MAX + 1 };

static bool is_separator(char c)
{
	return c == ' ' || c == '-' || c == '_' || c == '.' || c == '/';
}

static char small(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool is_kept(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Up to ROOM characters, which are too many; how many there are. *lost: others than separators were left out. */
static size_t slug(struct str name, char out[ROOM], bool *lost)
{
	size_t n = 0;
	bool gap = false;

	*lost = false;
	for (size_t i = 0; i < name.n && n < ROOM; i++) {
		char c = small(name.p[i]);

		*lost |= !is_kept(c) && !is_separator(c);
		if (is_kept(c) && gap && n > 0)
			out[n++] = '-';
		if (is_kept(c) && n < ROOM)
			out[n++] = c;
		gap = !is_kept(c);
	}
	return n;
}

static void mark(const char *kept, size_t n, struct str identity, struct handle_text *out)
{
	char text[ID_TEXT];
	uint64_t hash = str_hash(identity);
	unsigned char bytes[MARK_BYTES];

	for (size_t i = 0; i < MARK_BYTES; i++)
		bytes[i] = (unsigned char)(hash >> (8 * i));
	id_base32(text, bytes, sizeof(bytes));
	n = n < KEPT_MAX ? n : KEPT_MAX;
	while (n > 0 && kept[n - 1] == '-')
		n--;
	memcpy(out->text, kept, n);
	out->text[n] = '-';
	memcpy(out->text + n + 1, text, MARK_CHARACTERS);
	out->text[n + 1 + MARK_CHARACTERS] = '\0';
}

void import_handle(struct str name, bool marked, struct str identity, struct handle_text *out)
{
	static const char nameless[] = "agent";
	char kept[ROOM];
	bool lost;
	size_t n = slug(name, kept, &lost);

	if (n == 0) {
		mark(nameless, sizeof(nameless) - 1, identity, out);
	} else if (marked || lost || handle_check((struct str){kept, n}, NULL) != OK) {
		mark(kept, n, identity, out);
	} else {
		memcpy(out->text, kept, n);
		out->text[n] = '\0';
	}
}
