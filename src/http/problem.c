/*
 * Errors as application/problem+json (RFC 9457): the row of the error's table, and what was said of this one.
 */
#include "http/http_priv.h"

#include <stdio.h>

/* Retryable errors without a time of their own: come back after a second. */
int problem_retry_after_s(const struct problem *p, enum err e)
{
	const struct err_info *info = err_info(e);

	if (p->retry_after_s > 0)
		return p->retry_after_s;
	return info->retryable && (info->status == 429 || info->status == 503) ? 1 : 0;
}

static void put_fields(struct problem_body *body, struct problem_field_item *items, const struct problem *p)
{
	for (unsigned i = 0; i < p->field_count; i++) {
		PUT(&items[i], problem_field_item, field, str_of(p->fields[i].field));
		PUT(&items[i], problem_field_item, detail, str_of(p->fields[i].detail));
	}
	body->errors_count = p->field_count;
	if (p->field_count)
		PUT(body, problem_body, errors, items);
}

static void put_place(struct problem_body *body, const struct problem *p)
{
	if (p->line > 0)
		PUT(body, problem_body, line, p->line);
	if (p->column > 0)
		PUT(body, problem_body, column, p->column);
}

void problem_encode(const struct call *c, enum err e, struct buf *b)
{
	const struct err_info *info = err_info(e);
	const struct problem *p = &c->problem;
	struct problem_field_item items[PROBLEM_FIELDS_MAX] = {0};
	struct problem_body body = {0};
	char type[64];

	snprintf(type, sizeof(type), "/problems/%s", info->code);
	PUT(&body, problem_body, type, str_of(type));
	PUT(&body, problem_body, title, str_of(info->title));
	PUT(&body, problem_body, status, info->status);
	PUT(&body, problem_body, code, str_of(info->code));
	if (p->detail[0])
		PUT(&body, problem_body, detail, str_of(p->detail));
	if (c->path.n)
		PUT(&body, problem_body, instance, c->path);
	if (c->request_id.n)
		PUT(&body, problem_body, request_id, c->request_id);
	put_place(&body, p);
	put_fields(&body, items, p);
	json_encode(&type_problem_body, &body, 0, b);
}
