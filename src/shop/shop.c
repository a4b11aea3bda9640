/* Starting and stopping: see shop.h. What is stopped last was started first. */
#include "shop/shop.h"

#include "shop/app.h"
#include "shop/catalogue.h"
#include "shop/queries.h"
#include "shop/schema.h"

enum { IDLE_TIMEOUT_S = 60, STOP_MS = 5000, ARENA_MAX = 1 << 20 };

int64_t shop_new_id(struct shop *s)
{
	int64_t id;

	pthread_mutex_lock(&s->ids_lock);
	id = id_make(&s->ids, clock_now_ms(s->clock), s->id_slot);
	pthread_mutex_unlock(&s->ids_lock);
	return id;
}

enum err shop_fill_shelves(struct db *db)
{
	struct shop_shelf_fill_in rows[PLACE_COUNT * PRODUCT_COUNT];
	size_t n = 0;

	for (int place = 1; place <= PLACE_COUNT; place++)
		for (int product = 1; product <= PRODUCT_COUNT; product++)
			rows[n++] = (struct shop_shelf_fill_in){
				.store = place, .product = product, .left_pieces = product_find(product)->stock};
	return q_shop_shelf_fill(db, rows, n);
}

static enum err fill_books(struct shop *s, struct db *db)
{
	struct arena *a = arena_new(ARENA_MAX);
	struct shop_highest_out highest;
	enum err e = db_begin(db);

	if (!e)
		e = shop_fill_shelves(db);
	e = e ? e : q_shop_highest(db, a, &highest);
	e = e ? e : db_commit(db);
	if (e)
		db_rollback(db);
	else
		id_maker_init(&s->ids, highest.id);
	arena_destroy(&a);
	return e;
}

static enum err open_books(struct shop *s, const char *url, struct problem *p)
{
	struct db *db = NULL;
	enum err e = store_open(url, &s->store, p);

	e = e ? e : store_migrate(s->store, &SHOP_SCHEMA, p);
	e = e ? e : store_connect(s->store, DB_WRITE, &db, p);
	e = e ? e : fill_books(s, db);
	db_close(&db);
	if (e && s->store && !p->detail[0])
		problem_set(p, e, "%s: %s", store_name(s->store), err_info(e)->title);
	return e;
}

static enum err listen_http(struct shop *s, const struct shop_config *config, struct problem *p)
{
	struct http_config http = {.listen = config->listen,
				   .loops = config->loops,
				   .max_connections = config->max_connections,
				   .idle_timeout_s = IDLE_TIMEOUT_S,
				   .handlers = shop_handlers,
				   .routes = shop_routes,
				   .route_count = SHOP_ROUTE_COUNT,
				   .hooks = {.authenticate = shop_authenticate,
					     .admit = shop_admit,
					     .dispatch = shop_dispatch,
					     .undelivered = shop_undelivered},
				   .app = s};

	return http_server_new(&http, &s->http, p);
}

enum err shop_start(const struct shop_config *config, struct shop **out, struct problem *p)
{
	struct shop *s = NEW(struct shop);
	struct gate_config gate = config->gate;
	enum err e;

	s->magic = SHOP_MAGIC;
	s->version = config->version;
	s->id_slot = config->id_slot;
	s->clock = clock_system_new();
	shop_time_init(&s->time, s->clock);
	pthread_mutex_init(&s->ids_lock, NULL);
	gate.pass = shop_pass;
	gate.ctx = s;
	s->gate = gate_new(&gate);
	e = listen_http(s, config, p); /* first: a taken port is the commonest fault */
	e = e ? e : open_books(s, config->store_url, p);
	e = e ? e : shop_calls_start(s, p);
	e = e ? e : http_server_start(s->http, p);
	if (e)
		shop_stop(&s);
	*out = s;
	return e;
}

const char *shop_url(const struct shop *s)
{
	return http_server_url(s->http);
}

const char *shop_store_name(const struct shop *s)
{
	return store_name(s->store);
}

void shop_stop(struct shop **shop)
{
	struct shop *s = *shop;

	if (!s)
		return;
	CHECK_OBJ(s, SHOP_MAGIC);
	gate_open(s->gate);
	if (s->http)
		http_server_drain(s->http, STOP_MS);
	gate_destroy(&s->gate);
	shop_calls_stop(s);
	http_server_destroy(&s->http);
	if (s->store)
		store_close(&s->store);
	shop_time_free(&s->time);
	pthread_mutex_destroy(&s->ids_lock);
	clock_system_destroy(&s->clock);
	s->magic = 0;
	free(s);
	*shop = NULL;
}
