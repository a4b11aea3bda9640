/* Requests are written at once; the head of an answer is looked at only when it is there completely. */
#include "http.h"

#include "base/clock.h"
#include "base/magic.h"

#include <string.h>

struct head {
	int status;
	size_t head_bytes, body_bytes;
};

static bool read_status(struct str line, int *status)
{
	struct str rest;
	int64_t number;

	if (!str_eqz(str_cut(line, ' ', &rest), "HTTP/1.1") || !str_to_i64(str_cut(rest, ' ', &rest), &number))
		return false;
	*status = (int)number;
	return true;
}

/* False when the head is wrong; head_bytes stays 0 while it is not there completely. */
static bool read_head(struct str bytes, struct head *head)
{
	const char *end = bytes.n ? memmem(bytes.p, bytes.n, "\r\n\r\n", 4) : NULL;
	int64_t length = -1;

	*head = (struct head){0};
	if (!end)
		return true;
	struct str lines = {bytes.p, (size_t)(end - bytes.p)};
	if (!read_status(str_trim(str_cut(lines, '\n', &lines)), &head->status))
		return false;
	while (lines.n) {
		struct str value, name = str_cut(str_cut(lines, '\n', &lines), ':', &value);

		if (str_eq_nocase(name, STR("Content-Length")) && !str_to_i64(str_trim(value), &length))
			return false;
	}
	if (length < 0 && head->status != 204)
		return false;
	head->head_bytes = (size_t)(end - bytes.p) + 4;
	head->body_bytes = length < 0 ? 0 : (size_t)length;
	return true;
}

static size_t http_arrived(struct stream *s, struct str bytes)
{
	struct http *h = CONTAINER_OF(s, struct http, stream);
	struct head head;

	if (!read_head(bytes, &head) || !h->busy) {
		wire_fault(s->wire, "not an answer: %.*s", (int)(bytes.n < 120 ? bytes.n : 120), bytes.p);
		return bytes.n;
	}
	if (head.head_bytes == 0 || bytes.n < head.head_bytes + head.body_bytes)
		return 0;
	if (bytes.n > head.head_bytes + head.body_bytes) {
		wire_fault(s->wire, "more bytes than one answer to one request");
		return bytes.n;
	}
	h->busy = false;
	h->answered(h, head.status, (struct str){bytes.p + head.head_bytes, head.body_bytes});
	return bytes.n;
}

void http_open(struct http *h, struct wire *w, const struct sockaddr_in *to, struct str headers)
{
	h->headers = headers;
	h->stream.arrived = http_arrived;
	stream_open(&h->stream, w, to);
}

void http_close(struct http *h)
{
	stream_close(&h->stream);
}

static struct buf *begin(struct http *h, const char *method, struct str path)
{
	struct buf *out = &h->stream.out;

	CHECK(!h->busy);
	h->busy = true;
	buf_z(out, method);
	buf_str_add(out, path);
	buf_z(out, " HTTP/1.1\r\n");
	buf_str_add(out, h->headers);
	return out;
}

static void end(struct http *h)
{
	h->sent_ns = clock_mono_ns();
	stream_flush(&h->stream);
}

void http_get(struct http *h, struct str path)
{
	buf_z(begin(h, "GET ", path), "\r\n");
	end(h);
}

void http_post(struct http *h, struct str path, struct str json)
{
	struct buf *out = begin(h, "POST ", path);

	buf_z(out, "Content-Type: application/json\r\nContent-Length: ");
	buf_u64(out, json.n);
	buf_z(out, "\r\n\r\n");
	buf_str_add(out, json);
	end(h);
}
