/*
 * The files of a town, on the machine and in memory: what both promise, and what only a machine has. Cuts and races
 * are in test_roles_files_torn.c.
 */
#include "harness.h"

#include "roles_kit/scene.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

enum { MAX_BYTES = 1 << 20 };

static struct scene s;

static const char *at(const char *name)
{
	return scene_at(&s, name);
}

static struct stamp stamp_of(struct files *f, const char *name)
{
	struct problem p = {0};
	struct stamp stamp;

	if (f->stat(f, at(name), &stamp, &p))
		fail_msg("%s: %s", name, p.detail);
	return stamp;
}

/* Stat, read and write all refuse it, with these words behind the path. */
static void assert_refused(struct files *f, const char *name, enum err e, const char *words)
{
	struct str wanted = arena_fmt(s.arena, "%s: %s", at(name), words);
	struct problem p = {0}, q = {0}, w = {0};
	struct stamp stamp;
	struct str text;

	assert_int_equal(f->stat(f, at(name), &stamp, &p), e);
	assert_string_equal(p.detail, wanted.p);
	assert_int_equal(f->read(f, at(name), MAX_BYTES, s.arena, &text, &stamp, &q), e);
	assert_string_equal(q.detail, wanted.p);
	if (e == ERR_NOT_FOUND)
		return;
	assert_int_equal(f->write(f, at(name), STR("x"), NULL, &w), e);
	assert_string_equal(w.detail, wanted.p);
}

/* ---- what both promise ---- */

static void each(void (*test)(struct files *f))
{
	test(s.real);
	test(&s.memory->files);
}

static void reads(struct files *f)
{
	struct stamp stamp, now;
	struct str text;

	assert_int_equal(f->read(f, at("a"), 5, s.arena, &text, &stamp, NULL), OK);
	assert_str(text, "hello");
	now = stamp_of(f, "a");
	assert_true(stamp_eq(&stamp, &now));
	assert_int_equal(stamp.size, 5);
	assert_int_equal(scene_text(&s, f, "empty").n, 0);
}

static void a_file_is_read_with_its_stamp(void **state)
{
	(void)state;
	scene_put(&s, "a", "hello");
	scene_put(&s, "empty", "");
	each(reads);
	assert_int_equal(s.memory->reads, 2);
	assert_int_equal(s.memory->stats, 1);
}

static void refuses_large(struct files *f)
{
	struct str wanted = arena_fmt(s.arena, "%s: has 5 bytes; 4 are the most", at("a"));
	struct problem p = {0};
	struct stamp stamp;
	struct str text;

	assert_int_equal(f->read(f, at("a"), 4, s.arena, &text, &stamp, &p), ERR_TOO_LARGE);
	assert_string_equal(p.detail, wanted.p);
}

static void a_file_over_the_bound_is_refused_with_its_size(void **state)
{
	(void)state;
	scene_put(&s, "a", "hello");
	each(refuses_large);
}

static void refuses_missing_and_folders(struct files *f)
{
	assert_refused(f, "b", ERR_NOT_FOUND, "there is no such file");
	assert_refused(f, "folder", ERR_INVALID, "is a directory, not a file");
}

static void what_is_missing_and_what_is_no_file_are_told_apart(void **state)
{
	(void)state;
	assert_int_equal(mkdir(at("folder"), 0700), 0);
	memory_files_folder(s.memory, at("folder"));
	each(refuses_missing_and_folders);
}

static void tells_changes(struct files *f)
{
	struct stamp before = stamp_of(f, "a"), after;

	scene_write(&s, f, "a", "other", NULL); /* as long as the one before */
	after = stamp_of(f, "a");
	assert_false(stamp_eq(&before, &after));
	assert_str(scene_text(&s, f, "a"), "other");
}

static void a_write_leaves_another_stamp(void **state)
{
	(void)state;
	scene_put(&s, "a", "hello");
	each(tells_changes);
}

static void minds_the_stamp(struct files *f)
{
	static const struct stamp none;
	struct stamp first = stamp_of(f, "a"), second;
	struct problem p = {0};

	assert_int_equal(f->write(f, at("a"), STR("lost"), &none, &p), ERR_CONFLICT);
	scene_write(&s, f, "a", "one", &first);
	second = stamp_of(f, "a");
	assert_int_equal(f->write(f, at("a"), STR("lost"), &first, &p), ERR_CONFLICT);
	assert_string_equal(p.detail,
			    arena_fmt(s.arena, "%s: was changed meanwhile; look at it and try again", at("a")).p);
	assert_str(scene_text(&s, f, "a"), "one");
	scene_write(&s, f, "a", "two", &second);
	assert_str(scene_text(&s, f, "a"), "two");
	scene_write(&s, f, "new", "three", &none);
	assert_str(scene_text(&s, f, "new"), "three");
	assert_int_equal(f->write(f, at("gone"), STR("lost"), &first, &p), ERR_CONFLICT);
	assert_int_equal(f->stat(f, at("gone"), &first, &p), ERR_NOT_FOUND);
}

static void a_write_over_what_was_not_seen_is_a_conflict(void **state)
{
	(void)state;
	scene_put(&s, "a", "hello");
	each(minds_the_stamp);
	assert_int_equal(scene_entries(&s), 2); /* no temporary file stays */
}

static void lists(struct files *f)
{
	struct problem p = {0};
	struct str *names;
	size_t count;

	assert_int_equal(f->list(f, s.root, false, s.arena, &names, &count, &p), OK);
	assert_int_equal(count, 4);
	assert_str(names[0], ".hidden");
	assert_str(names[1], "B");
	assert_str(names[2], "a");
	assert_str(names[3], "rig");
	assert_int_equal(f->list(f, s.root, true, s.arena, &names, &count, &p), OK);
	assert_int_equal(count, 1);
	assert_str(names[0], "rig");
	assert_int_equal(f->list(f, at("rig"), true, s.arena, &names, &count, &p), OK);
	assert_int_equal(count, 0);
	assert_int_equal(f->list(f, at("none"), false, s.arena, &names, &count, &p), ERR_NOT_FOUND);
}

static void a_folder_is_listed_in_order(void **state)
{
	(void)state;
	scene_put(&s, "a", "");
	scene_put(&s, "B", "");
	scene_put(&s, ".hidden", "");
	assert_int_equal(mkdir(at("rig"), 0700), 0);
	scene_put(&s, "rig/config.json", "{}");
	each(lists);
}

/* ---- on the machine ---- */

static void links_are_followed(void **state)
{
	struct problem p = {0};
	struct stat link;
	struct str *names;
	size_t count;

	(void)state;
	assert_int_equal(mkdir(at("elsewhere"), 0700), 0);
	scene_put(&s, "elsewhere/target", "hello");
	assert_int_equal(symlink("elsewhere/target", at("link")), 0);
	assert_int_equal(symlink("elsewhere", at("folder")), 0);
	assert_str(scene_text(&s, s.real, "link"), "hello");
	assert_str(scene_text(&s, s.real, "folder/target"), "hello");
	scene_write(&s, s.real, "link", "changed", NULL);
	assert_str(scene_text(&s, s.real, "elsewhere/target"), "changed");
	assert_int_equal(lstat(at("link"), &link), 0);
	assert_true(S_ISLNK(link.st_mode));
	assert_int_equal(s.real->list(s.real, s.root, true, s.arena, &names, &count, &p), OK);
	assert_int_equal(count, 2);
	assert_int_equal(scene_entries(&s), 3);
}

static void links_that_lead_nowhere_are_told(void **state)
{
	(void)state;
	assert_int_equal(symlink("nowhere", at("dangling")), 0);
	assert_int_equal(symlink("b", at("a")), 0);
	assert_int_equal(symlink("a", at("b")), 0);
	assert_refused(s.real, "dangling", ERR_INVALID, "is a symbolic link to nowhere, which is not there");
	assert_refused(s.real, "a", ERR_INVALID, "is a symbolic link that leads back to itself");
	assert_refused(s.real, "a/b", ERR_INVALID, "is a symbolic link that leads back to itself");
	assert_int_equal(scene_entries(&s), 3);
}

/* A pipe that nobody writes to would hold a reader for ever; alarm() ends the test then. */
static void what_is_no_file_is_refused_without_waiting(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int socket_fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct problem p = {0};
	struct stamp stamp;

	(void)state;
	alarm(60);
	assert_int_equal(mkfifo(at("pipe"), 0600), 0);
	assert_refused(s.real, "pipe", ERR_INVALID, "is a named pipe, not a file");
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", at("socket"));
	assert_int_equal(bind(socket_fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(s.real->stat(s.real, at("socket"), &stamp, &p), ERR_INVALID);
	assert_true(strstr(p.detail, "is a socket, not a file") != NULL);
	assert_int_equal(s.real->stat(s.real, "/dev/null", &stamp, &p), ERR_INVALID);
	assert_string_equal(p.detail, "/dev/null: is a device, not a file");
	close(socket_fd);
	alarm(0);
}

static void a_file_where_a_folder_should_be_has_nothing_in_it(void **state)
{
	struct problem p = {0};

	(void)state;
	scene_put(&s, "a", "hello");
	assert_refused(s.real, "a/settings", ERR_NOT_FOUND, "there is no such file");
	assert_int_equal(s.real->write(s.real, at("a/settings"), STR("x"), NULL, &p), ERR_NOT_FOUND);
	assert_int_equal(s.real->write(s.real, at("no/such/file"), STR("x"), NULL, &p), ERR_NOT_FOUND);
	assert_string_equal(p.detail, arena_fmt(s.arena, "%s: there is no such directory", at("no/such/file")).p);
	assert_int_equal(s.real->write(s.real, at("name/"), STR("x"), NULL, &p), ERR_INVALID);
	assert_int_equal(s.real->write(s.real, at(arena_fmt(s.arena, "%0250d", 0).p), STR("x"), NULL, &p),
			 ERR_INVALID);
	assert_true(strstr(p.detail, "too long") != NULL);
}

static void a_directory_that_is_missing_is_made(void **state)
{
	(void)state;
	scene_write(&s, s.real, "settings/config.json", "{}", NULL);
	assert_str(scene_text(&s, s.real, "settings/config.json"), "{}");
}

/* As another user: root may do everything. */
static int without_permission(void *unused)
{
	struct problem p = {0};
	struct stamp stamp;
	struct str text;
	bool good;

	(void)unused;
	if (geteuid() == 0 && setresuid(65534, 65534, 65534))
		return 2;
	good = s.real->read(s.real, at("secret"), MAX_BYTES, s.arena, &text, &stamp, &p) == ERR_INVALID &&
	       strstr(p.detail, "has no permission");
	good = good && s.real->write(s.real, at("fixed"), STR("x"), NULL, &p) == ERR_INVALID &&
	       strstr(p.detail, "is read-only");
	good = good && s.real->write(s.real, at("shut/new"), STR("x"), NULL, &p) == ERR_INVALID &&
	       strstr(p.detail, "has no permission");
	return good ? 0 : 1;
}

static void what_may_not_be_read_or_written_is_told(void **state)
{
	(void)state;
	scene_put(&s, "secret", "x");
	scene_put(&s, "fixed", "x");
	assert_int_equal(mkdir(at("shut"), 0500), 0);
	assert_int_equal(chmod(at("secret"), 0), 0);
	assert_int_equal(chmod(at("fixed"), 0444), 0);
	assert_int_equal(chmod(s.root, 0755), 0);
	assert_int_equal(scene_in_a_child(without_permission, NULL), 0);
	assert_int_equal(scene_entries(&s), 3);
}

static void mode_and_owner_are_kept(void **state)
{
	bool root = geteuid() == 0;
	struct stat st;

	(void)state;
	scene_put(&s, "a", "x");
	assert_int_equal(chmod(at("a"), 0640), 0);
	assert_int_equal(root ? chown(at("a"), 1234, 4321) : 0, 0);
	scene_write(&s, s.real, "a", "y", NULL);
	assert_int_equal(stat(at("a"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(st.st_uid, root ? 1234 : geteuid());
	assert_int_equal(st.st_gid, root ? 4321 : getegid());
	umask(0);
	scene_write(&s, s.real, "new", "y", NULL);
	assert_int_equal(stat(at("new"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	umask(077);
	scene_write(&s, s.real, "private", "y", NULL);
	umask(022);
	assert_int_equal(stat(at("private"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static int write_as_nobody(void *unused)
{
	struct problem p = {0};

	(void)unused;
	if (setresuid(65534, 65534, 65534))
		return 2;
	return s.real->write(s.real, at("a"), STR("mine"), NULL, &p) == ERR_INVALID &&
			       strstr(p.detail, "belongs to user 0")
		       ? 0
		       : 1;
}

static void a_file_whose_owner_cannot_be_kept_stays_as_it_is(void **state)
{
	(void)state;
	scene_put(&s, "a", "theirs");
	assert_int_equal(chmod(at("a"), 0666), 0);
	assert_int_equal(chmod(s.root, 0777), 0);
	if (geteuid() == 0)
		assert_int_equal(scene_in_a_child(write_as_nobody, NULL), 0);
	assert_str(scene_text(&s, s.real, "a"), "theirs");
	assert_int_equal(scene_entries(&s), 1);
}

static void a_file_just_written_is_not_trusted_until_the_clock_has_ticked(void **state)
{
	struct stamp young, later;
	int64_t began;

	(void)state;
	scene_put(&s, "a", "hello");
	began = s.real->now_ms(s.real);
	young = later = stamp_of(s.real, "a");
	assert_true(young.recent || s.real->now_ms(s.real) - began > 10);
	while (later.recent)
		later = stamp_of(s.real, "a");
	assert_true(s.real->now_ms(s.real) - began < 60000);
	assert_true(stamp_eq(&young, &later));
	assert_true(stamp_holds(&later, &young));
	assert_true(!young.recent || !stamp_holds(&young, &later));
	later.size++;
	assert_false(stamp_holds(&later, &young));
}

static void stamps_differ_in_anything_that_tells_versions_apart(void **state)
{
	const struct stamp a = {1, 2, 3, 4, 5, false};
	const struct stamp others[] = {{9, 2, 3, 4, 5, false},
				       {1, 9, 3, 4, 5, false},
				       {1, 2, 9, 4, 5, false},
				       {1, 2, 3, 9, 5, false},
				       {1, 2, 3, 4, 9, false}};
	struct stamp same = a;

	(void)state;
	same.recent = true;
	assert_true(stamp_eq(&a, &same) && stamp_holds(&a, &same) && !stamp_holds(&same, &a));
	for (size_t i = 0; i < COUNT_OF(others); i++)
		assert_true(!stamp_eq(&a, &others[i]) && !stamp_holds(&a, &others[i]));
}

/* Past the limit a write is cut short, and then refused. */
static int write_past_the_limit(void *unused)
{
	struct rlimit limit = {.rlim_cur = 1000, .rlim_max = 1000};
	struct str text = {arena_alloc(s.arena, 5000), 5000};
	struct problem p = {0};

	(void)unused;
	signal(SIGXFSZ, SIG_IGN);
	return setrlimit(RLIMIT_FSIZE, &limit) == 0 && s.real->write(s.real, at("a"), text, NULL, &p) == ERR_INVALID
		       ? 0
		       : 1;
}

static void a_write_that_finds_no_room_changes_nothing(void **state)
{
	(void)state;
	scene_put(&s, "a", "hello");
	assert_int_equal(scene_in_a_child(write_past_the_limit, NULL), 0);
	assert_str(scene_text(&s, s.real, "a"), "hello");
	assert_int_equal(scene_entries(&s), 1);
}

static void what_stands_under_the_temporary_name_is_not_followed(void **state)
{
	static const char temporary[] = ".a.tenfold-new";

	(void)state;
	scene_put(&s, "a", "hello");
	scene_put(&s, "victim", "precious");
	assert_int_equal(symlink("victim", at(temporary)), 0);
	scene_write(&s, s.real, "a", "1", NULL);
	assert_int_equal(link(at("victim"), at(temporary)), 0);
	scene_write(&s, s.real, "a", "2", NULL);
	assert_int_equal(mkfifo(at(temporary), 0600), 0);
	scene_write(&s, s.real, "a", "3", NULL);
	scene_put(&s, temporary, "left behind by one that was killed, and longer");
	scene_write(&s, s.real, "a", "4", NULL);
	assert_str(scene_text(&s, s.real, "a"), "4");
	assert_str(scene_text(&s, s.real, "victim"), "precious");
	assert_int_equal(scene_entries(&s), 2);
}

/* ---- commands and the environment ---- */

static void make_command(const char *name, int mode)
{
	scene_put(&s, name, "#!/bin/sh\n");
	assert_int_equal(chmod(at(name), (mode_t)mode), 0);
}

static void a_command_is_found_along_the_path_or_by_its_own(void **state)
{
	struct str path = arena_fmt(s.arena, "/nowhere:%s:%s", at("one"), at("two"));

	(void)state;
	assert_int_equal(mkdir(at("one"), 0700), 0);
	assert_int_equal(mkdir(at("two"), 0700), 0);
	assert_int_equal(mkdir(at("two/folder"), 0700), 0);
	make_command("one/plain", 0600);
	make_command("two/plain", 0700);
	make_command("two/only", 0700);
	make_command("one/text", 0600);
	setenv("PATH", path.p, 1);
	assert_true(s.real->executable(s.real, STR("plain")));
	assert_true(s.real->executable(s.real, STR("only")));
	assert_false(s.real->executable(s.real, STR("text")));
	assert_false(s.real->executable(s.real, STR("folder")));
	assert_false(s.real->executable(s.real, STR("claude")));
	assert_false(s.real->executable(s.real, (struct str){0}));
	assert_false(s.real->executable(s.real, STR("only\0")));
	assert_true(s.real->executable(s.real, str_of(at("two/only"))));
	assert_false(s.real->executable(s.real, str_of(at("one/text"))));
	assert_false(s.real->executable(s.real, str_of(at("two"))));
	assert_false(s.real->executable(s.real, arena_fmt(s.arena, "/%0*d", 5000, 0)));
	assert_string_equal(s.real->env(s.real, "PATH"), path.p);
	unsetenv("PATH");
	assert_false(s.real->executable(s.real, STR("only")));
	assert_null(s.real->env(s.real, "PATH"));
	setenv("PATH", "/usr/bin:/bin", 1);
}

static void entries_of_the_path_that_depend_on_where_one_stands_are_passed_over(void **state)
{
	(void)state;
	make_command("here", 0700);
	assert_int_equal(chdir(s.root), 0);
	setenv("PATH", "::.", 1);
	assert_false(s.real->executable(s.real, STR("here")));
	assert_true(s.real->executable(s.real, STR("./here")));
	setenv("PATH", "/usr/bin:/bin", 1);
	assert_int_equal(chdir("/"), 0);
}

/* ---- the one in memory ---- */

static void in_memory_too_a_file_may_be_replaced_twice_and_not_three_times(void **state)
{
	struct files *f = &s.memory->files;
	struct problem p = {0};
	struct stamp stamp;
	struct str text;

	(void)state;
	memory_files_put(s.memory, "f", "old");
	memory_files_replace_while_read(s.memory, "f", "new", 2);
	assert_int_equal(f->read(f, "f", 10, s.arena, &text, &stamp, &p), OK);
	assert_str(text, "new");
	assert_int_equal(s.memory->reads, 3);
	memory_files_replace_while_read(s.memory, "f", "newer", 3);
	assert_int_equal(f->read(f, "f", 10, s.arena, &text, &stamp, &p), ERR_CONFLICT);
	assert_string_equal(p.detail, "f: is being written; try again in a moment");
}

static void in_memory_a_write_is_cut_at_every_step(void **state)
{
	struct files *f = &s.memory->files;
	struct problem p = {0};

	(void)state;
	for (int lost = 0; lost < 2; lost++)
		for (int steps = 0; steps <= MEMORY_WRITE_STEPS; steps++) {
			bool renamed = steps >= 5 - lost + 2 * lost;
			struct stamp stamp;

			memory_files_put(s.memory, "d/f", "old");
			s.memory->loses_unflushed = lost;
			memory_files_cut(s.memory, steps);
			assert_int_equal(f->write(f, "d/f", STR("new"), NULL, &p),
					 steps == MEMORY_WRITE_STEPS ? OK : ERR_INTERNAL);
			assert_int_equal(memory_files_is_off(s.memory), steps < MEMORY_WRITE_STEPS);
			assert_int_equal(f->stat(f, "d/f", &stamp, &p),
					 steps < MEMORY_WRITE_STEPS ? ERR_INTERNAL : OK);
			memory_files_restart(s.memory);
			assert_str(memory_files_text(s.memory, "d/f"), renamed ? "new" : "old");
			assert_int_equal(f->stat(f, "d/.f.tenfold-new", &stamp, &p),
					 steps > 0 && steps < 5 ? OK : ERR_NOT_FOUND);
			memory_files_remove(s.memory, "d/.f.tenfold-new");
		}
}

static void in_memory_nothing_is_there_until_it_is_put(void **state)
{
	struct files *f = &s.memory->files;

	(void)state;
	assert_null(f->env(f, "PATH"));
	memory_files_env(s.memory, "PATH", "/bin");
	assert_string_equal(f->env(f, "PATH"), "/bin");
	memory_files_env(s.memory, "PATH", NULL);
	assert_null(f->env(f, "PATH"));
	assert_false(f->executable(f, STR("claude")));
	memory_files_install(s.memory, "claude");
	assert_true(f->executable(f, STR("claude")));
	memory_files_uninstall(s.memory, "claude");
	assert_false(f->executable(f, STR("claude")));
	s.memory->ms = 77;
	assert_int_equal(f->now_ms(f), 77);
	memory_files_put(s.memory, at("a"), "x");
	memory_files_spoil(s.memory, at("a"), ERR_INVALID, "is a symbolic link that leads back to itself");
	assert_refused(f, "a", ERR_INVALID, "is a symbolic link that leads back to itself");
	memory_files_spoil(s.memory, at("a"), OK, "");
	assert_str(scene_text(&s, f, "a"), "x");
}

int main(void)
{
#define TEST(name) SCENE_TEST(name, s)
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_read_with_its_stamp),
		TEST(a_file_over_the_bound_is_refused_with_its_size),
		TEST(what_is_missing_and_what_is_no_file_are_told_apart),
		TEST(a_write_leaves_another_stamp),
		TEST(a_write_over_what_was_not_seen_is_a_conflict),
		TEST(a_folder_is_listed_in_order),
		TEST(links_are_followed),
		TEST(links_that_lead_nowhere_are_told),
		TEST(what_is_no_file_is_refused_without_waiting),
		TEST(a_file_where_a_folder_should_be_has_nothing_in_it),
		TEST(a_directory_that_is_missing_is_made),
		TEST(what_may_not_be_read_or_written_is_told),
		TEST(mode_and_owner_are_kept),
		TEST(a_file_whose_owner_cannot_be_kept_stays_as_it_is),
		TEST(a_file_just_written_is_not_trusted_until_the_clock_has_ticked),
		TEST(stamps_differ_in_anything_that_tells_versions_apart),
		TEST(a_write_that_finds_no_room_changes_nothing),
		TEST(what_stands_under_the_temporary_name_is_not_followed),
		TEST(a_command_is_found_along_the_path_or_by_its_own),
		TEST(entries_of_the_path_that_depend_on_where_one_stands_are_passed_over),
		TEST(in_memory_too_a_file_may_be_replaced_twice_and_not_three_times),
		TEST(in_memory_a_write_is_cut_at_every_step),
		TEST(in_memory_nothing_is_there_until_it_is_put),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
