/*
 * The scenario as text, as anybody would write it.
 */
#include "sim_kit/way.h"

#include "harness.h"

#include "sim/population_priv.h"

/* A number expressions can read, so that what was decided is kept: the sum of all that was drawn. */
static void write_states(const struct way *w, struct buf *b)
{
	buf_fmt(b,
		"\"variables\":[{\"name\":\"drawn\",\"value\":0}],\"keep\":[{\"name\":\"drawn\",\"value\":"
		"\"drawn\"}],"
		"\"states\":[{\"name\":\"way\",\"steps\":["
		"{\"repeat\":%u,\"request\":{\"method\":\"GET\",\"path\":\"/"
		"\",\"headers\":{\"X-Agent\":\"{{agent.number}}\"}},"
		"\"mock\":{\"fail_chance\":%.17g},\"set\":[{\"to\":\"drawn\",\"value\":\"drawn + random()\"}],"
		"\"event\":{\"type\":\"drew\",\"fields\":[{\"name\":\"sum\",\"value\":\"drawn\"}]},\"think\":%.17g}"
		"],"
		"\"next\":[{\"to\":\"well\",\"weight\":1},{\"to\":\"badly\",\"weight\":2}]},"
		"{\"name\":\"well\",\"end\":\"completed\"},{\"name\":\"badly\",\"end\":\"abandoned\"}",
		w->calls, w->fail_share, w->think_s);
	if (w->idle)
		buf_z(b,
		      ",{\"name\":\"visit\",\"steps\":[{\"event\":{\"type\":\"looked\"}}],\"end\":\"completed\"}");
	if (w->offers)
		buf_fmt(b, ",{\"name\":\"get\",\"steps\":[%s],\"end\":\"completed\"}",
			w->asks_offers ? "{\"request\":{\"method\":\"POST\",\"path\":\"/offers\"}}" : "");
	buf_z(b, "]");
}

/* A thousand sessions an hour are expected, so that none at all is not to be feared. */
static const char always[] =
	",\"seasons\":[{\"name\":\"always\",\"from\":\"01-01\",\"to\":\"12-31\",\"factor\":1000}]";

static void write_scenario(const struct way *w, struct buf *b)
{
	buf_fmt(b,
		"{\"tenfold_scenario\":1,\"name\":\"way\",\"about\":\"for tests\","
		"\"assumes\":{\"active_share\":0.4,\"calls_per_agent\":%u},"
		"\"outcomes\":[{\"name\":\"completed\",\"kind\":\"completed\"},{\"name\":\"abandoned\",\"kind\":"
		"\"abandoned\"},"
		"{\"name\":\"failed\",\"kind\":\"failed\"}],\"schedule\":{\"sessions_per_week\":%.17g%s},\"start\":"
		"\"way\",",
		w->calls, w->always ? 168 : w->weekly, w->always ? always : "");
	if (w->idle)
		buf_z(b, "\"idle\":{\"state\":\"visit\"},");
	if (w->offers)
		buf_z(b, "\"offers\":{\"state\":\"get\"},");
	write_states(w, b);
	buf_c(b, '}');
}

void way_make(const struct way *w, struct scenario **s, struct population **who)
{
	struct buf text = BUF_INIT(0);
	struct problem p = {0};

	write_scenario(w, &text);
	if (scenario_parse(buf_str(&text), STR("way"), s, &p))
		fail_msg("%s", p.detail);
	buf_free(&text);
	*who = population_new(NULL, 0, w->agents);
}
