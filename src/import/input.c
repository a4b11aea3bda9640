/* A file by bytes and lines, with its line numbers; see agents_priv.h. */
#include "import/agents_priv.h"

#include <string.h>

static bool refill(struct agent_input *in)
{
	if (in->at < in->end)
		return true;
	in->at = 0;
	in->end = in->read(in->ctx, in->bytes, INPUT_CHUNK);
	return in->end > 0;
}

int input_peek(struct agent_input *in)
{
	return refill(in) ? (unsigned char)in->bytes[in->at] : -1;
}

int input_take(struct agent_input *in)
{
	int c = input_peek(in);

	if (c >= 0)
		in->at++;
	in->line += c == '\n';
	return c;
}

void input_skip_mark(struct agent_input *in)
{
	static const char mark[] = "\xef\xbb\xbf";

	for (size_t i = 0; i + 1 < sizeof(mark) && input_peek(in) == (unsigned char)mark[i]; i++)
		input_take(in);
}

bool input_line(struct agent_input *in, struct buf *to)
{
	const char *feed = NULL;
	bool any = false;

	while (!feed && refill(in)) {
		const char *from = in->bytes + in->at;
		size_t left = in->end - in->at, n;

		any = true;
		feed = memchr(from, '\n', left);
		n = feed ? (size_t)(feed + 1 - from) : left;
		buf_add(to, from, n);
		in->at += n;
	}
	in->line += feed != NULL;
	return any;
}
