/* Attestations: see directory/attest.h. */
#include "api/api.h"
#include "api/app.h"

#include "directory/attest.h"
#include "directory/changes.h"

static enum err tell(struct call *c, const struct attestation_full_row *row)
{
	struct change_fact fact = attest_fact(c, row);
	return change_add(call_app(c)->feed, c, &fact, 1);
}

enum err api_attestation_add(struct call *c, const struct attestation_new *in, struct attestation *out)
{
	struct attestation_full_row row;
	enum err err = attest_add(c, app_new_id(call_app(c)), in, &row);
	if (err)
		return err;
	attest_show(&row, c->arena, out);
	return tell(c, &row);
}

enum err api_attestation_show(struct call *c, const struct attestation_ref *in, struct attestation *out)
{
	struct attestation_full_row row;
	enum err err = attest_read(c, in->id, &row);
	if (!err)
		attest_show(&row, c->arena, out);
	return err;
}

enum err api_attestation_list(struct call *c, const struct attestation_list_in *in,
			      struct attestation_list_out *out)
{
	return attest_list(c, in, out);
}

enum err api_attestation_revoke(struct call *c, const struct attestation_ref *in, struct attestation *out)
{
	struct attestation_full_row row;
	bool changed;
	enum err err = attest_revoke(c, in->id, &row, &changed);
	if (err)
		return err;
	attest_show(&row, c->arena, out);
	return changed ? tell(c, &row) : OK;
}
