/* `tenfold sim shop`: the demo shop over books of its own, until a signal comes. */
#include "server/sim_shop.h"

#include "base/id.h"
#include "server/datadir.h"
#include "server/signals.h"
#include "shop/shop.h"

#include <sys/stat.h>
#include <unistd.h>

/* The directory of its books: as it was given, else one in the data directory. */
static enum err find_books(struct cli *cli, const struct shop_args *args, struct datadir *out)
{
	struct str path;
	enum err e;

	if (args->data.n) {
		path = args->data;
	} else {
		e = cli_data_dir(cli->globals.data, cli->arena, &path, &cli->problem);
		if (e)
			return e;
		mkdir(arena_z(cli->arena, path), S_IRWXU); /* if it fails, so does datadir_open() */
		path = arena_fmt(cli->arena, "%.*s/shop", STRF(path));
	}
	return datadir_open(path,
			    args->store.n ? args->store : arena_fmt(cli->arena, "sqlite:%.*s/shop.db", STRF(path)),
			    cli->arena, out, &cli->problem);
}

static enum err run(struct cli *cli, const struct shop_args *args, struct datadir *dir, int signals)
{
	struct shop_config config = {.listen = arena_z(cli->arena, args->listen),
				     .store_url = dir->url.p,
				     .version = cli->extra->version,
				     .loops = (unsigned)args->loops,
				     .max_connections = (unsigned)args->max_connections,
				     .id_slot = (unsigned)(dir->process_id % ID_SLOTS),
				     .gate = {.slow_ms = args->slow_ms,
					      .fail_percent = args->fail_percent,
					      .limit_rps = args->limit_rps,
					      .stall_ms = args->stall,
					      .stall_after_ms = args->stall_after}};
	struct shop *shop;
	enum err e = shop_start(&config, &shop, &cli->problem);

	if (e)
		return e;
	e = datadir_write_server(dir, shop_url(shop), &cli->problem);
	if (!e) {
		printf("tenfold %s runs a demo shop at %s\n  store  %s\n", cli->extra->version, shop_url(shop),
		       shop_store_name(shop));
		fflush(stdout);
		signals_wait(signals, -1);
	}
	shop_stop(&shop);
	return e;
}

enum err sim_shop(struct cli *cli, const void *args)
{
	struct datadir dir;
	enum err e;
	int signals;

	umask(S_IRWXG | S_IRWXO);
	e = find_books(cli, args, &dir);
	if (e)
		return e;
	signals = signals_open();
	e = run(cli, args, &dir, signals);
	close(signals);
	datadir_close(&dir);
	return e;
}
