/* The table of handlers, expanded from api/routes.def; each is called through a thunk with its own types. */
#include "api/api.h"

#include "api/kept.h"

#define ROUTE(name, tag, method, path, in_type, out_type, scope, runs, status, max_body, flags, cache, doc) \
	static enum err run_##name(struct call *c, const void *in, void *out)                               \
	{                                                                                                   \
		return api_##name(c, in, out);                                                              \
	}
#include "api/routes.def"
#undef ROUTE

static enum err read_work_list(struct call *c, const void *in, void *out)
{
	return api_work_list_read(c, in, out);
}

http_handler_fn *const api_handlers[ROUTE_COUNT] = {
#define ROUTE(name, tag, method, path, in, out, scope, runs, status, max_body, flags, cache, doc) \
	[ROUTE_##name] = run_##name,
#include "api/routes.def"
#undef ROUTE
};

http_handler_fn *const api_second_halves[ROUTE_COUNT] = {[ROUTE_work_list] = read_work_list};

http_handler_fn *const api_first_halves[ROUTE_COUNT] = {
	[ROUTE_agent_list] = kept_here,        [ROUTE_agent_show] = kept_here,
	[ROUTE_capability_list] = kept_here,   [ROUTE_plan_show] = kept_here,
	[ROUTE_squad_member_list] = kept_here, [ROUTE_squad_member_show] = kept_here,
	[ROUTE_squad_show] = kept_here};

#define HASH(name, in_type, out_type)                                              \
	static enum err hash_##name(struct call *c, const void *in, void *out)     \
	{                                                                          \
		return api_##name##_hash(c, (const in_type *)in, (out_type *)out); \
	}
HASH(sign_up, struct sign_up_in, struct signed_in)
HASH(sign_in, struct sign_in_in, struct signed_in)
HASH(account_password, struct account_password_in, struct nothing)
HASH(password_reset_use, struct password_reset_in, struct nothing)
#undef HASH

http_handler_fn *const api_hash_halves[ROUTE_COUNT] = {[ROUTE_sign_up] = hash_sign_up,
						       [ROUTE_sign_in] = hash_sign_in,
						       [ROUTE_account_password] = hash_account_password,
						       [ROUTE_password_reset_use] = hash_password_reset_use};

const struct api_bulk api_bulks[ROUTE_COUNT] = {
	[ROUTE_agent_add] = {agent_add_key, agent_add_all}, [ROUTE_agent_beat] = {agent_beat_key, agent_beat_all}};
