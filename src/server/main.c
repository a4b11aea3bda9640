/* The program: a command line whose server is linked in. */
#include "server/serve.h"
#include "server/sim_run.h"
#include "server/sim_shop.h"

int main(int argc, char **argv)
{
	static const struct cli_extra extra = {.version = TENFOLD_VERSION,
					       .serve = serve,
					       .openapi = print_openapi,
					       .sim_run = sim_run,
					       .sim_shop = sim_shop};
	return cli_main(argc, argv, &extra);
}
