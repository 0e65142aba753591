// SPDX-License-Identifier: GPL-2.0
/* Running keelctl, and what it says. */
#include <fnmatch.h>
#include <linux/keel.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "json.h"
#include "keelctl.h"

#define MAX_WORDS	12

char out[MAX_ANSWER], err[MAX_ANSWER];

static int text_file(const char *name)
{
	int fd = memfd_create(name, 0);

	REQUIRE_OK(fd);
	return fd;
}

static void take_text(int fd, char *to)
{
	ssize_t n = pread(fd, to, MAX_ANSWER - 1, 0);

	REQUIRE(n >= 0);
	to[n] = 0;
	close(fd);
}

/* Split @command at blanks; %s in it is the only way to a word with a blank. */
static void split(char *command, const char *name, char **words)
{
	char *word;
	int n = 0;

	for (word = strtok(command, " "); word; word = strtok(NULL, " ")) {
		REQUIRE(n < MAX_WORDS - 1);
		words[n++] = strcmp(word, "%s") ? word : (char *)name;
	}
	words[n] = NULL;
}

int run_as(uid_t uid, const char *name, const char *command)
{
	int files[2] = { text_file("out"), text_file("err") }, status;
	char text[256], *words[MAX_WORDS];
	pid_t pid;

	REQUIRE(strlen(command) < sizeof(text));
	split(strcpy(text, command), name, words);
	pid = fork();
	if (!pid) {
		dup2(files[0], 1);
		dup2(files[1], 2);
		if (!uid || (!setgid(uid) && !setuid(uid)))
			execvp(words[0], words);
		_exit(127);
	}
	REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	take_text(files[0], out);
	take_text(files[1], err);
	REQUIRE(WIFEXITED(status));
	return WEXITSTATUS(status);
}

int run(const char *name, const char *command)
{
	return run_as(0, name, command);
}

void answers(const char *name, const char *command)
{
	if (!CHECK_EQ(run(name, command), 0) || !CHECK(!*err))
		ktap_fail("%s: %s", command, err);
}

void answers_json(const char *name, const char *command)
{
	answers(name, command);
	if (!json_valid(out))
		ktap_fail("%s: no JSON: %s", command, out);
}

void check_refusal(int got, int want, const char *words, const char *command)
{
	char *end = strchr(err, '\n');

	if (!CHECK_EQ(got, want) || !CHECK(!*out) || !CHECK(end && !end[1]) ||
	    !CHECK(!strncmp(err, "keelctl: ", 9)) || !CHECK(strstr(err, words)))
		ktap_note("%s: wanted \"%s\", said \"%s\"", command, words, err);
}

void refuses(int status, const char *words, const char *name, const char *command)
{
	check_refusal(run(name, command), status, words, command);
}

bool has_line(const char *text, const char *fmt, ...)
{
	char want[256], line[256];
	const char *s, *end;
	size_t n;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(want, sizeof(want), fmt, ap);
	va_end(ap);
	for (s = text; *s; s = end + !!*end) {
		end = s + strcspn(s, "\n");
		n = 0;
		while (s < end && n < sizeof(line) - 1) {
			if (*s != ' ' || (n && line[n - 1] != ' '))
				line[n++] = *s;
			s++;
		}
		line[n] = 0;
		if (!fnmatch(want, line, 0))
			return true;
	}
	return false;
}

void set_name(struct vm *vm, const char *name)
{
	struct keel_vm_name args = { .size = sizeof(args) };

	strcpy(args.name, name);
	REQUIRE_OK(ioctl(vm->fd, KEEL_SET_NAME, &args));
}
