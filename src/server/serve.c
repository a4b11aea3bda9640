/*
 * `tenfold serve`: builds the server, waits for a signal, takes it apart.
 *
 * The main thread only waits: for signals, and on PostgreSQL every two seconds to look for tenants that other
 * processes have made. Their keys come with the feed of changes; while that stands still, because the process that
 * numbers changes has died, all of them are read every time. Stopping takes at most shutdown_timeout and two seconds
 * more; then the process ends hard, which loses nothing that was answered.
 */
#include "server/serve.h"

#include "base/clock.h"
#include "base/log.h"
#include "directory/follower.h"
#include "http/http.h"
#include "server/build.h"
#include "server/signals.h"
#include "store/fault.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOOK_MS = 2000, HARD_END_S = 2 };

static const int64_t STANDS_STILL_NS = 1000000000;

static void announce(const struct server *s)
{
	printf("tenfold %s serves %s\n", s->app.version, http_server_url(s->app.http));
	printf("  store  %s\n  data   %s\n", store_name(s->app.store), s->dir->path.p);
	if (s->admin_secret[0])
		printf("  admin key, shown this once and kept in %s/admin.key:\n  %s\n", s->dir->path.p,
		       s->admin_secret);
	fflush(stdout);
}

/* Faults of the plan begin when the server has started. */
static void arm_faults(const struct server *s)
{
	if (!s->params->fault.n)
		return;
	while (executor_state(s->app.executor) == EXECUTOR_STARTING)
		poll(NULL, 0, 1);
	fault_arm(s->app.store);
}

static void look_for_others(struct server *s, struct db **db)
{
	struct app *app = &s->app;
	struct problem p = {0};
	if (store_kind(app->store) == STORE_SQLITE)
		return; /* no other process writes there */
	if (!*db && store_connect(app->store, DB_READ, db, &p) != OK)
		return;
	bool stands_still = clock_mono_ns() - follower_current_ns(app->follower) > STANDS_STILL_NS;
	enum err err = stands_still ? keyring_load(app->keyring, *db) : keyring_find_new_tenants(app->keyring, *db);
	if (err) {
		LOG_W("keyring.look_failed", "error=%s", err_info(err)->code);
		db_close(db);
	}
}

static int wait_for_signal(struct server *s, int signals)
{
	struct db *db = NULL;
	int got = 0;
	while (!got) {
		got = signals_wait(signals, LOOK_MS);
		if (!got)
			look_for_others(s, &db);
	}
	db_close(&db);
	return got;
}

static void set_log_level(const struct serve_params *params)
{
	static const enum log_level levels[] = {[LOG_LEVEL_ERROR] = LOG_ERROR,
						[LOG_LEVEL_WARN] = LOG_WARN,
						[LOG_LEVEL_INFO] = LOG_INFO,
						[LOG_LEVEL_DEBUG] = LOG_DEBUG};
	log_set_level(levels[params->log]);
}

static enum err run(struct cli *cli, const struct serve_params *params, struct datadir *dir, int signals)
{
	struct server *s = NEW(struct server);
	enum err err = server_build(s, params, dir, cli->extra->version, cli->arena, &cli->problem);
	if (!err) {
		announce(s);
		arm_faults(s);
		int number = wait_for_signal(s, signals);
		LOG_I("serve.stops", "signal=%d", number);
		alarm((unsigned)(params->shutdown_timeout / 1000) + HARD_END_S);
		server_take_apart(s);
		LOG_I("serve.stopped", "signal=%d", number);
	}
	free(s);
	return err;
}

enum err serve(struct cli *cli, const void *args)
{
	const struct serve_params *params = args;
	struct str path;
	struct datadir dir;
	set_log_level(params);
	umask(077); /* what the data directory holds is nobody else's */
	struct str given = params->data.n ? params->data : cli->globals.data;
	enum err err = cli_data_dir(given, cli->arena, &path, &cli->problem);
	if (!err)
		err = datadir_open(path, params->store, cli->arena, &dir, &cli->problem);
	if (err)
		return err;
	int signals = signals_open();
	err = run(cli, params, &dir, signals);
	close(signals);
	datadir_close(&dir);
	return err;
}

enum err print_openapi(struct cli *cli, const void *args)
{
	(void)args;
	struct buf b = BUF_INIT(0);
	spec_openapi(&b, cli->extra->version);
	fwrite(b.p, 1, b.n, stdout);
	putchar('\n');
	buf_free(&b);
	return OK;
}
