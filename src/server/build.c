/* See build.h. */
#include "server/build.h"

#include "access/replays.h"
#include "accounts/accounts.h"
#include "api/api.h"
#include "api/forward.h"
#include "api/hook_work.h"
#include "api/identify.h"
#include "api/reads.h"
#include "api/roles.h"
#include "api/runner.h"
#include "api/scaling.h"
#include "api/sessions.h"
#include "archive/archiver.h"
#include "base/log.h"
#include "cache/cache.h"
#include "directory/follower.h"
#include "directory/index.h"
#include "directory/signed.h"
#include "flow/tail.h"
#include "jobs/jobs.h"
#include "limits/limits.h"
#include "roles/cost.h"
#include "server/callers.h"
#include "server/directory.h"
#include "store/fault.h"
#include "store/schema.h"
#include "telemetry/metrics.h"
#include "webhooks/webhooks.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	EVENTS_IN_MEMORY_BYTES = 16 << 20,
	POOL_SIZE = 20,
	POOL_OVERFLOW = 10,
	POOL_SIZE_SQLITE = 2,
	POOL_QUEUE_MAX = 10000,
	POOL_IDLE_MS = 30000,
	POOL_CHECK_MS = 30000,
	COMPUTE_THREADS = 2,
	COMPUTE_QUEUE_MAX = 1000,
	HASHING_THREADS = 2, /* each takes a processor and 64 MiB for a password */
	HASHING_QUEUE_MAX = 64,
	BATCH_COST_MAX = 2000,
	PEM_MAX_BYTES = 1 << 20
};

/* ---- metrics ---- */

static struct metrics_values names_of(struct arena *a, const struct json_enum *e)
{
	const char **texts = ARENA_ARRAY(a, const char *, (size_t)e->count);
	for (int i = 0; i < e->count; i++)
		texts[i] = e->values[i].text;
	return (struct metrics_values){texts, (unsigned)e->count};
}

/* Calls whose answers are kept, at the index of their route. */
static struct metrics_values answers_kept(struct arena *a)
{
	const char **texts = ARENA_ARRAY(a, const char *, ROUTE_COUNT);
	for (int i = 0; i < ROUTE_COUNT; i++)
		texts[i] = spec_routes[i].runs == RUNS_CACHED ? spec_routes[i].name : NULL;
	return (struct metrics_values){texts, ROUTE_COUNT};
}

static struct metrics_values numbers_to(struct arena *a, size_t count)
{
	const char **texts = ARENA_ARRAY(a, const char *, count);
	for (size_t i = 0; i < count; i++)
		texts[i] = arena_fmt(a, "%zu", i + 1).p;
	return (struct metrics_values){texts, (unsigned)count};
}

static struct metrics *make_metrics(struct server *s)
{
	const char **routes = ARENA_ARRAY(s->arena, const char *, ROUTE_COUNT + 1);
	for (int i = 0; i < ROUTE_COUNT; i++)
		routes[i] = spec_routes[i].name;
	routes[ROUTE_COUNT] = "unmatched";
	struct metrics_values states = names_of(s->arena, &enum_work_state);
	states.count = WORK_LEASED + 1; /* finished items are not counted anywhere */
	struct metrics_config config = {.route = {routes, ROUTE_COUNT + 1},
					.state = states,
					.event = names_of(s->arena, &enum_work_event_kind),
					.job = names_of(s->arena, &enum_job_name),
					.answer = answers_kept(s->arena),
					.replica = numbers_to(s->arena, s->params->replica_count),
					.version = s->app.version,
					.started_ms = clock_now_ms(s->app.clock)};
	return metrics_new(&config);
}

/* ---- first start ---- */

static enum err make_default_tenant(struct server *s, struct db *db)
{
	struct tenant_insert_in row = {.id = app_new_id(&s->app),
				       .name = STR("default"),
				       .created_ms = clock_now_ms(s->app.clock),
				       .plan = s->app.plan};
	struct tenant_insert_out out;
	enum err err = q_tenant_insert(db, &row, s->arena, &out);
	return err == ERR_ALREADY_EXISTS ? OK : err; /* another process was faster */
}

/* Other processes on the same store are told of it. */
static enum err store_admin_key(struct db *db, const struct key_row *row)
{
	struct change_fact fact = {.tenant = row->tenant,
				   .entity = ENTITY_KEY,
				   .op = OP_PUT,
				   .ref = row->id,
				   .at_ms = row->created_ms};
	enum err err = db_begin(db);
	if (!err)
		err = q_key_insert(db, row, 1);
	if (!err)
		err = q_change_add(db, &fact, 1);
	if (!err)
		return db_commit(db);
	db_rollback(db);
	return err;
}

static enum err make_admin_key(struct server *s, struct db *db, struct problem *p)
{
	struct keyring_tenant tenant;
	if (!keyring_find_tenant(s->app.keyring, STR("default"), s->arena, &tenant))
		return problem_set(p, ERR_INTERNAL, "the store has no tenant 'default'");
	unsigned char hash[TOKEN_HASH_BYTES];
	token_new(TOKEN_KEY, s->admin_secret);
	token_hash(str_of(s->admin_secret), hash);
	struct key_row row = {.id = app_new_id(&s->app),
			      .tenant = tenant.id,
			      .name = STR("admin"),
			      .scope = SCOPE_ADMIN,
			      .hash = {(const char *)hash, sizeof hash},
			      .created_ms = clock_now_ms(s->app.clock)};
	enum err err = store_admin_key(db, &row);
	return err ? err : datadir_write_admin_key(s->dir, s->admin_secret, p);
}

static enum err prepare_access(struct server *s, struct db *db, struct problem *p)
{
	enum err err = keyring_load(s->app.keyring, db);
	struct keyring_tenant tenant;
	if (!err && !keyring_find_tenant(s->app.keyring, STR("default"), s->arena, &tenant)) {
		s->first_start = true;
		err = make_default_tenant(s, db);
		if (!err)
			err = keyring_load(s->app.keyring, db);
	}
	if (!err && !datadir_has_admin_key(s->dir)) {
		err = make_admin_key(s, db, p);
		if (!err)
			err = keyring_load(s->app.keyring, db);
	}
	return err;
}

/* Ids of what has no slot must be above those stored, also when the clock went back. */
static enum err continue_ids(struct server *s, struct db *db)
{
	struct directory_highest_out highest;
	enum err err = q_directory_highest(db, s->arena, &highest);
	if (err)
		return err;
	int64_t ids[] = {highest.agents,         highest.attestations, highest.capabilities, highest.challenges,
			 highest.keys,           highest.tenants,      highest.flips,        highest.webhooks,
			 highest.events,         highest.deliveries,   highest.hooks,        highest.arrivals,
			 highest.squads,         highest.members,      highest.projects,     highest.tasks,
			 highest.executions,     highest.users,        highest.memberships,  highest.sign_ins,
			 highest.refresh_tokens, highest.invitations,  highest.resets,       highest.tickets,
			 highest.archives,       highest.archived};
	int64_t most = 0;
	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
		if (ids[i] > most)
			most = ids[i];
	id_maker_init(&s->app.ids, most);
	return OK;
}

static enum err prepare_replicas(struct server *s, struct problem *p)
{
	if (store_kind(s->app.store) == STORE_SQLITE)
		return problem_set(p, ERR_USAGE, "--replica is for a store in PostgreSQL (--store postgres://…)");
	store_note_places(s->app.store);
	return OK;
}

static enum err open_store(struct server *s, struct problem *p)
{
	struct app *app = &s->app;
	enum err err = store_open(s->dir->url.p, &app->store, p);
	if (!err && s->params->fault.n)
		err = fault_wrap(&app->store, arena_z(s->arena, s->params->fault), p);
	if (!err && s->params->replica_count)
		err = prepare_replicas(s, p);
	if (!err)
		err = store_migrate(app->store, &STORE_SCHEMA, p);
	struct db *db = NULL;
	if (!err)
		err = store_connect(app->store, DB_WRITE, &db, p);
	if (!err) {
		app->keyring = keyring_new();
		err = prepare_access(s, db, p);
	}
	if (!err)
		err = continue_ids(s, db);
	db_close(&db);
	if (err && !p->detail[0])
		problem_set(p, err, "%s: %s", store_name(app->store), err_info(err)->title);
	return err;
}

/* ---- the pools ---- */

static struct pool_limits pool_limits(const struct serve_params *params, bool sqlite)
{
	struct pool_limits limits = {.size = sqlite ? POOL_SIZE_SQLITE : POOL_SIZE,
				     .overflow = sqlite ? 0 : POOL_OVERFLOW,
				     .queue_max = POOL_QUEUE_MAX,
				     .wait_ms = params->pool_wait,
				     .idle_ms = POOL_IDLE_MS,
				     .check_ms = POOL_CHECK_MS,
				     .recycle_ms = params->pool_recycle};
	if (HAS(params, serve_params, pool_size))
		limits.size = (unsigned)params->pool_size;
	if (HAS(params, serve_params, pool_overflow))
		limits.overflow = (unsigned)params->pool_overflow;
	return limits;
}

static void make_accounts(struct server *s)
{
	const struct serve_params *params = s->params;
	struct accounts_config config = {.sign_up = (enum sign_up_policy)params->sign_up,
					 .access_ms = params->access_token_life,
					 .refresh_ms = params->refresh_token_life,
					 .session_ms = params->session_life,
					 .tries = params->limit_sign_in,
					 .seed = rng_system_word()};
	s->app.accounts = accounts_new(&config, store_kind(s->app.store) == STORE_SQLITE);
}

static enum err make_pools(struct server *s, bool sqlite, struct problem *p)
{
	struct app *app = &s->app;
	struct pool_config connections = {.store = app->store,
					  .mode = sqlite ? DB_READ : DB_WRITE,
					  .limits = pool_limits(s->params, sqlite),
					  .run = runner_pool_run,
					  .ctx = app,
					  .metrics = app->metrics};
	struct pool_config compute = {.limits = {.size = COMPUTE_THREADS,
						 .queue_max = COMPUTE_QUEUE_MAX,
						 .wait_ms = s->params->pool_wait},
				      .run = runner_compute_run,
				      .ctx = app};
	struct reads_config reads = {.app = app,
				     .urls = s->params->replica,
				     .count = s->params->replica_count,
				     .limits = pool_limits(s->params, sqlite),
				     .lag_max_ms = s->params->replica_lag};
	struct pool_config hashing = {.store = app->store,
				      .mode = DB_READ,
				      .limits = {.size = HASHING_THREADS,
						 .queue_max = HASHING_QUEUE_MAX,
						 .wait_ms = s->params->pool_wait,
						 .idle_ms = POOL_IDLE_MS,
						 .check_ms = POOL_CHECK_MS,
						 .recycle_ms = s->params->pool_recycle},
				      .run = runner_hash_run,
				      .ctx = app};
	enum err err = pool_new(&connections, &app->pool, p);
	if (!err)
		runner_bulk_init(app);
	if (!err && reads.count)
		err = reads_new(&reads, &app->reads, p);
	if (!err)
		err = pool_new(&compute, &app->compute, p);
	return err ? err : pool_new(&hashing, &app->hashing, p);
}

/* ---- the queue ---- */

/* Where the other processes of the deployment reach this one. */
static enum err advertised_url(struct server *s, const char **out, struct problem *p)
{
	struct str url = s->params->advertise;
	*out = http_server_url(s->app.http);
	if (!url.n && (strstr(*out, "//0.0.0.0:") || strstr(*out, "//[::]:")))
		LOG_W("serve.advertise", "url=%s detail=\"other processes cannot reach it; give --advertise\"",
		      *out);
	if (!url.n)
		return OK;
	while (url.n && url.p[url.n - 1] == '/')
		url.n--;
	if (!str_starts(url, STR("http://")) && !str_starts(url, STR("https://")))
		return problem_set(p, ERR_USAGE,
				   "--advertise must be http://HOST or https://HOST, with a port if needed");
	*out = arena_z(s->arena, url);
	return OK;
}

static void happened(void *ctx, size_t place)
{
	http_wake_topic(((struct app *)ctx)->http, http_topic(place));
}

static enum err make_queue(struct server *s, struct problem *p)
{
	struct app *app = &s->app;
	const struct serve_params *params = s->params;
	bool exclusive = store_kind(app->store) == STORE_SQLITE;
	const char *url;
	enum err err = advertised_url(s, &url, p);
	if (err)
		return err;
	rng_system_init(&s->rng);
	app->events = eventlog_new(EVENTS_IN_MEMORY_BYTES);
	app->sessions = sessions_new();
	app->runner = runner_new(app);
	app->hook_work = hook_work_new(app);
	app->persist = persist_new(&(struct persist_config){.process_id = s->dir->process_id,
							    .url = url,
							    .exclusive = exclusive,
							    .owner_lease_ms = params->owner_lease,
							    .events_kept_ms = params->events_kept,
							    .clock = app->clock,
							    .rng = &s->rng,
							    .log = app->events,
							    .max_live = (uint64_t)params->max_live,
							    .max_waiting = (uint64_t)params->max_waiting,
							    .served = runner_served,
							    .owner = runner_owner,
							    .ctx = app});
	app->happenings = flow_log_new(EVENTS_IN_MEMORY_BYTES);
	flow_log_tell(app->happenings, happened, app);
	app->flow = flow_rows_new(&(struct flow_rows_config){
		.persist = app->persist, .log = app->happenings, .max_live = (uint64_t)params->max_live});
	err = exclusive ? OK : forward_new(app, &app->forward, p);
	struct executor_config config = {.store = app->store,
					 .clock = app->clock,
					 .ops = runner_ops,
					 .ctx = app->runner,
					 .metrics = app->metrics,
					 .queue_max = (uint32_t)params->max_queued,
					 .batch_cost_max = BATCH_COST_MAX,
					 .renew_ms = exclusive ? 0 : params->owner_lease / 4};
	if (!err)
		err = executor_new(&config, &app->executor, p);
	return err ? err : make_pools(s, exclusive, p);
}

/* ---- http ---- */

static enum err read_pem(struct server *s, struct str path, const char **out, struct problem *p)
{
	char *text = arena_alloc(s->arena, PEM_MAX_BYTES);
	int fd = open(arena_z(s->arena, path), O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 || !text ? -1 : read(fd, text, PEM_MAX_BYTES - 1);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return problem_set(p, ERR_USAGE, "cannot read %.*s (--tls-cert, --tls-key)", STRF(path));
	*out = text;
	return OK;
}

static enum err read_tls(struct server *s, struct http_config *config, struct problem *p)
{
	const struct serve_params *params = s->params;
	if (!params->tls_cert.n && !params->tls_key.n)
		return OK;
	if (!params->tls_cert.n || !params->tls_key.n)
		return problem_set(p, ERR_USAGE, "--tls-cert and --tls-key go together");
	enum err err = read_pem(s, params->tls_cert, &config->tls_cert_pem, p);
	return err ? err : read_pem(s, params->tls_key, &config->tls_key_pem, p);
}

static enum err listen_http(struct server *s, struct problem *p)
{
	const struct serve_params *params = s->params;
	struct http_config config = {.listen = arena_z(s->arena, params->listen),
				     .loops = (unsigned)params->loops,
				     .max_connections = (unsigned)params->max_connections,
				     .idle_timeout_s = (unsigned)((params->idle_timeout + 999) / 1000),
				     .handlers = api_handlers,
				     .first_halves = api_first_halves,
				     .keyless = callers_keyless(params),
				     .proxy_hops = (unsigned)params->proxy_hops,
				     .hooks = {.authenticate = callers_authenticate,
					       .identify = identify_post,
					       .admit = callers_admit,
					       .recheck = callers_recheck,
					       .dispatch = runner_dispatch,
					       .hung_up = runner_hung_up,
					       .undelivered = runner_undelivered,
					       .fetch = runner_fetch},
				     .app = &s->app,
				     .metrics = s->app.metrics};
	enum err err = read_tls(s, &config, p);
	return err ? err : http_server_new(&config, &s->app.http, p);
}

static void make_openapi(struct server *s)
{
	struct buf b = BUF_INIT(0);
	spec_openapi(&b, s->app.version);
	s->app.openapi = arena_str(s->arena, buf_str(&b));
	buf_free(&b);
}

static void wake_listeners(void *ctx)
{
	http_wake_every_stream(((struct app *)ctx)->http);
}

/* Of a file one process alone knows all that happens. */
static enum err start_tail(struct app *app, struct problem *p)
{
	struct flow_tail_config config = {.store = app->store,
					  .log = app->happenings,
					  .is_wanted = runner_wants_tail,
					  .began = wake_listeners,
					  .ctx = app};
	return store_kind(app->store) == STORE_SQLITE ? OK : flow_tail_start(&config, &app->tail, p);
}

static enum err load_prices(struct server *s, struct problem *p)
{
	struct cost_tables *list = ARENA_NEW(s->arena, struct cost_tables);
	s->app.prices = list;
	return cost_tables_load(files_of_system(), s->dir->path, s->arena, list, p);
}

/* ---- all of it ---- */

static enum err build(struct server *s, struct problem *p)
{
	struct app *app = &s->app;
	app->metrics = make_metrics(s);
	app->limits = callers_limits(s->params);
	make_openapi(s);
	enum err err = scaling_new(s->params, app->zones, &app->scaling, p);
	if (!err)
		err = listen_http(s, p); /* first: a taken port is the commonest fault */
	if (!err)
		err = load_prices(s, p);
	if (!err && s->params->town.n)
		err = town_desk_open(s->params->town, s->dir->path, &app->town, p);
	if (!err)
		err = open_store(s, p);
	if (!err)
		make_accounts(s);
	if (!err)
		err = make_queue(s, p);
	if (!err)
		err = directory_make(s, p);
	if (!err)
		err = executor_start(app->executor, p);
	if (!err)
		err = directory_start(app, p);
	if (!err)
		err = start_tail(app, p);
	if (!err)
		err = http_server_start(app->http, p);
	return err ? err : datadir_write_server(s->dir, http_server_url(app->http), p);
}

enum err server_build(struct server *s, const struct serve_params *params, struct datadir *dir, const char *version,
		      struct arena *a, struct problem *p)
{
	*s = (struct server){.arena = a, .dir = dir, .params = params};
	s->app.magic = APP_MAGIC;
	s->app.version = version;
	s->app.plan = (enum tenant_plan)params->plan;
	s->app.clock = clock_system_new();
	s->app.started_ms = clock_now_ms(s->app.clock);
	s->app.zones = zones_new(params->zoneinfo);
	s->app.replays = replays_new(2 * SIGNED_SKEW_MS);
	s->app.process_number = (unsigned)(dir->process_id % ID_SLOTS);
	s->app.max_waiting_per_key = (uint32_t)params->max_waiting_per_key;
	pthread_mutex_init(&s->app.ids_lock, NULL);
	enum err err = build(s, p);
	if (err)
		server_take_apart(s);
	return err;
}

void server_take_apart(struct server *s)
{
	struct app *app = &s->app;
	atomic_store(&app->stopping, true);
	forward_end_waits(app);
	if (app->executor) {
		runner_end_waits(app);
		http_wake_streams(app->http);
	}
	if (app->http)
		http_server_drain(app->http, s->params->shutdown_timeout);
	directory_stop(app);
	flow_tail_stop(&app->tail);
	pool_destroy(&app->hashing); /* before those to whom it gives what it has done */
	executor_destroy(&app->executor);
	reads_destroy(&app->reads);
	pool_destroy(&app->pool);
	runner_bulk_destroy(app);
	pool_destroy(&app->compute);
	follower_destroy(&app->follower);
	forward_stop(app->forward);
	http_server_destroy(&app->http);
	cache_destroy(&app->cache);
	limits_destroy(&app->limits);
	accounts_destroy(&app->accounts);
	redis_destroy(&app->redis);
	forward_destroy(&app->forward);
	flow_rows_destroy(&app->flow);
	flow_log_destroy(&app->happenings);
	persist_destroy(&app->persist);
	runner_destroy(&app->runner);
	hook_work_destroy(&app->hook_work);
	sessions_destroy(&app->sessions);
	town_desk_close(&app->town);
	eventlog_destroy(&app->events);
	agent_index_destroy(&app->index);
	changes_destroy(&app->feed);
	webhooks_destroy(&app->webhooks);
	archiver_destroy(&app->archiver);
	jobs_destroy(&app->jobs);
	keyring_destroy(&app->keyring);
	replays_destroy(&app->replays);
	scaling_destroy(&app->scaling);
	zones_destroy(&app->zones);
	store_close(&app->store);
	metrics_destroy(&app->metrics);
	clock_system_destroy(&app->clock);
	pthread_mutex_destroy(&app->ids_lock);
}
