/* Which server and which key: of the flags, the environment and the data directory, and again when it has moved. */
#include "harness.h"

#include "base/magic.h"
#include "cli/cli.h"
#include "cli/client.h"

#include <sys/stat.h>
#include <unistd.h>

#define A_KEY "tf_0123456789abcdefghjkmnpqrstvwxyz0123456789abcdefghjk"

struct fixture {
	char dir[64];
	struct cli cli;
	struct client *client;
	struct problem problem;
};

static int setup(void **state)
{
	struct fixture *f = NEW(struct fixture);

	snprintf(f->dir, sizeof(f->dir), "/tmp/tenfold-test.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->cli.arena = arena_new(1 << 20);
	PUT(&f->cli.globals, cli_globals, data, str_of(f->dir));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", f->dir);
	assert_int_equal(system(command), 0);
	client_destroy(&f->client);
	arena_destroy(&f->cli.arena);
	free(f);
	return 0;
}

static void write_in(struct fixture *f, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void connect_to(struct fixture *f)
{
	if (cli_connect(&f->cli, &f->client) != OK)
		fail_msg("%s", f->cli.problem.detail);
}

/* One call that ends as curl says, and one more that is only begun: whom does it call? */
static void call_again_after(struct fixture *f, CURLcode code)
{
	struct request *r = f->client->request;
	struct nothing none = {0};

	f->problem = (struct problem){0};
	assert_int_equal(client_request_begin(r, ROUTE_whoami, &none, 0, &f->problem), OK);
	assert_int_equal(client_request_end(r, code, f->cli.arena, NULL, &f->problem), ERR_UNREACHABLE);
	assert_int_equal(client_request_begin(r, ROUTE_whoami, &none, 0, NULL), OK);
}

static void without_a_server_the_default_is_tried_and_that_is_said(void **state)
{
	struct fixture *f = *state;
	char note[160];

	connect_to(f);
	assert_str(f->client->url, "http://127.0.0.1:7010");
	assert_int_equal(f->client->key.n, 0);
	call_again_after(f, CURLE_COULDNT_CONNECT);
	snprintf(note, sizeof(note),
		 "no answer from http://127.0.0.1:7010 (%s has no server.json; trying the default)", f->dir);
	assert_non_null(strstr(f->problem.detail, note));
	snprintf(note, sizeof(note), "%s has no admin.key", f->dir);
	assert_true(str_eqz(f->client->key_note, note));
}

static void a_server_that_comes_later_is_found(void **state)
{
	struct fixture *f = *state;

	connect_to(f);
	write_in(f, "server.json", "{\"url\":\"http://127.0.0.1:7011\",\"pid\":1}");
	write_in(f, "admin.key", A_KEY "\n");
	call_again_after(f, CURLE_COULDNT_CONNECT);
	assert_str(f->client->url, "http://127.0.0.1:7011");
	assert_str(f->client->key, A_KEY);
	assert_string_equal(buf_cstr(&f->client->request->url), "http://127.0.0.1:7011/v1/whoami");
}

static void a_server_that_moved_is_found_and_until_then_stays_where_it_was(void **state)
{
	struct fixture *f = *state;
	char path[128];

	write_in(f, "server.json", "{\"url\":\"http://127.0.0.1:7011/\",\"pid\":1}");
	connect_to(f);
	assert_str(f->client->url, "http://127.0.0.1:7011");
	snprintf(path, sizeof(path), "%s/server.json", f->dir);
	assert_int_equal(unlink(path), 0);
	call_again_after(f, CURLE_RECV_ERROR);
	assert_str(f->client->url, "http://127.0.0.1:7011");
	assert_null(strstr(f->problem.detail, "trying the default"));
	write_in(f, "server.json", "{\"url\":\"http://127.0.0.1:7012\",\"pid\":2}");
	call_again_after(f, CURLE_COULDNT_CONNECT);
	assert_str(f->client->url, "http://127.0.0.1:7012");
	write_in(f, "server.json", "{\"url\":\"nowhere\",\"pid\":2}");
	call_again_after(f, CURLE_COULDNT_CONNECT);
	assert_str(f->client->url, "http://127.0.0.1:7012");
}

static void a_given_url_and_key_stay(void **state)
{
	struct fixture *f = *state;

	PUT(&f->cli.globals, cli_globals, url, STR("http://127.0.0.1:1"));
	PUT(&f->cli.globals, cli_globals, key, STR("tf_given"));
	write_in(f, "server.json", "{\"url\":\"http://127.0.0.1:7011\",\"pid\":1}");
	write_in(f, "admin.key", A_KEY "\n");
	connect_to(f);
	call_again_after(f, CURLE_COULDNT_CONNECT);
	assert_str(f->client->url, "http://127.0.0.1:1");
	assert_str(f->client->key, "tf_given");
}

static void where_the_key_is_from_is_known(void **state)
{
	struct fixture *f = *state;
	char path[128];

	write_in(f, "admin.key", A_KEY "\n");
	connect_to(f);
	snprintf(path, sizeof(path), "%s/admin.key", f->dir);
	assert_true(str_eqz(f->client->key_note, path));
	client_destroy(&f->client);
	PUT(&f->cli.globals, cli_globals, url, STR("http://192.0.2.1:1"));
	connect_to(f);
	assert_int_equal(f->client->key.n, 0);
	assert_str(f->client->key_note, "admin.key is only shown to a server of this machine");
	client_destroy(&f->client);
	PUT(&f->cli.globals, cli_globals, key, STR(A_KEY));
	connect_to(f);
	assert_str(f->client->key_note, "--key");
	client_destroy(&f->client);
	f->cli.globals_from_env = BIT(cli_globals, key);
	connect_to(f);
	assert_str(f->client->key_note, "TENFOLD_KEY");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(without_a_server_the_default_is_tried_and_that_is_said),
		TEST(a_server_that_comes_later_is_found),
		TEST(a_server_that_moved_is_found_and_until_then_stays_where_it_was),
		TEST(a_given_url_and_key_stay),
		TEST(where_the_key_is_from_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
