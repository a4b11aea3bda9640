/*
 * Requests that get an error before they have been read.
 *
 * libmicrohttpd takes a response before the body or after it, never amid, and closes the connection in the first
 * case. So a refused request is, in this order:
 *   - answered at once and closed, when nobody can tell where it ends or its client waits for "100 Continue";
 *   - cut, when its body is too large: the answer is written to the socket past libmicrohttpd, what the client
 * still sends is dropped for a while, so that it is not told by a reset that came before the answer, and then
 * closed;
 *   - else read to its end, dropping the body, and answered as if nothing was: the connection stays open.
 */
#include "http/http_priv.h"

#include <gnutls/gnutls.h>

static void send_now(struct connection *conn, struct str text)
{
	const union MHD_ConnectionInfo *tls =
		MHD_get_connection_info(conn->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	/* Nothing else is under way, so the socket takes it whole; if not, the client sees less, and the end. */
	if (tls && tls->tls_session)
		(void)gnutls_record_send((gnutls_session_t)tls->tls_session, text.p, text.n);
	else
		(void)send(conn->fd, text.p, text.n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static enum MHD_Result cut(struct call_private *c)
{
	struct buf body = BUF_INIT(0), whole = BUF_INIT(0);
	int retry = problem_retry_after_s(&c->call.problem, c->call.outcome);

	c->sent_status = err_info(c->call.outcome)->status;
	c->stage = STAGE_CUT;
	answer_count(c);
	problem_encode(&c->call, c->call.outcome, &body);
	buf_fmt(&whole, "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Type: application/problem+json\r\n",
		c->sent_status, MHD_get_reason_phrase_for((unsigned)c->sent_status));
	buf_fmt(&whole, "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nX-Request-Id: %.*s\r\n",
		STRF(c->call.request_id));
	if (retry)
		buf_fmt(&whole, "Retry-After: %d\r\n", retry);
	buf_fmt(&whole, "Content-Length: %zu\r\n\r\n", body.n);
	buf_str_add(&whole, buf_str(&body));
	send_now(c->connection, buf_str(&whole));
	buf_free(&whole);
	buf_free(&body);
	return MHD_YES;
}

enum MHD_Result refuse(struct call_private *c, enum err e)
{
	bool awaits_go = str_eq_nocase(c->headers.expect, STR("100-continue"));

	c->refused = c->call.outcome = e;
	call_drop_body(c);
	if (c->close || (c->declared && awaits_go))
		return answer(c);
	if (e == ERR_TOO_LARGE || (c->declared > DISCARD_MAX && c->declared != BODY_UNKNOWN))
		return cut(c);
	return MHD_YES;
}

enum MHD_Result refuse_drop(struct call_private *c, size_t bytes)
{
	c->dropped += bytes;
	if (c->dropped <= DISCARD_MAX)
		return MHD_YES;
	if (c->stage == STAGE_CUT)
		return MHD_NO;
	c->dropped = 0;
	return cut(c);
}
