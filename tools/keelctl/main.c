// SPDX-License-Identifier: GPL-2.0
/* keelctl: keel's VMs, looked at beside their VMMs. Options, words, help. */
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "verbs.h"

/**
 * struct known_option - an option
 * @name: without its dashes
 * @text: it has a value
 * @field: where it is kept in struct request: a const char *, or a bool
 */
struct known_option {
	const char *name;
	bool text;
	size_t field;
};

#define FLAG(word, member) { word, false, offsetof(struct request, member) }
#define TEXT(word, member) { word, true, offsetof(struct request, member) }

static const struct known_option known_options[OPTIONS] = {
	[OPT_ALL] = FLAG("all", all),
	[OPT_COUNT] = TEXT("count", count),
	[OPT_DENY] = TEXT("deny", deny),
	[OPT_DEV] = TEXT("dev", node),
	[OPT_EVERY] = TEXT("every", every),
	[OPT_FOR] = TEXT("for", length),
	[OPT_HELP] = FLAG("help", help),
	[OPT_INTERVAL] = TEXT("interval", interval),
	[OPT_JSON] = FLAG("json", json),
	[OPT_MAP] = TEXT("map", map),
	[OPT_MAX] = TEXT("max", max),
	[OPT_MIN] = TEXT("min", min),
	[OPT_NEED] = TEXT("need", need),
	[OPT_ONCE] = FLAG("once", once),
	[OPT_OUTPUT] = TEXT("output", output),
	[OPT_POLICY] = TEXT("policy", policy),
	[OPT_RANGES] = TEXT("ranges", ranges),
	[OPT_RAW] = FLAG("raw", raw),
	[OPT_STATS] = FLAG("stats", stats),
	[OPT_USER] = FLAG("user", user),
	[OPT_VCPU] = TEXT("vcpu", vcpu),
	[OPT_VCPUS] = FLAG("vcpus", per_vcpu),
	[OPT_WRITE] = FLAG("write", write),
};

static const struct verb *const tables[] = {
	verbs_vm, verbs_live, verbs_gva, verbs_power, verbs_backdoor,
};

#define for_each_verb(v, t)					\
	for (t = 0; t < ARRAY_SIZE(tables); t++)		\
		for (v = tables[t]; v->name; v++)

static int usage_text(const struct verb *v, char *to, size_t size)
{
	return snprintf(to, size, "%s%s%s%s", v->name, v->vm ? " VM" : "", v->rest ? " " : "",
			v->rest ? v->rest : "");
}

static void print_help(void)
{
	const struct verb *v;
	char usage[80];
	int width = 0;
	size_t t;

	printf("Usage: keelctl VERB [VM [WORD...]] [OPTION]...\n"
	       "Look at the VMs of keel.ko, whatever their VMM, and open them a backdoor.\n\n");
	for_each_verb(v, t) {
		int len = usage_text(v, usage, sizeof(usage));

		width = len > width ? len : width;
	}
	for_each_verb(v, t) {
		usage_text(v, usage, sizeof(usage));
		printf("  %-*s  %s\n", width, usage, v->summary);
	}
	printf("\n"
	       "  --dev PATH   keel's node, /dev/keel unless given\n"
	       "  --help       print this; after a verb, what it does and its options\n"
	       "\n"
	       "Exit status: 0 done; 1 wrong use, or something else failed; 2 no such VM or vCPU, or\n"
	       "several VMs of that name; 3 no permission; 4 keel.ko is not loaded, is older than\n"
	       "keelctl, or the node is not keel's.\n"
	       "\n"
	       "Example:\n"
	       "  keelctl list\n"
	       "  keelctl stats 1 --vcpus\n");
}

static void print_verb_help(const struct verb *v)
{
	char usage[80];

	usage_text(v, usage, sizeof(usage));
	printf("Usage: keelctl %s [OPTION]...\n", usage);
	printf("%s", v->help);
	printf("  --dev PATH   keel's node, /dev/keel unless given\n"
	       "  --help       print this\n");
}

/* How many of the words are the verb's name; 0: they are not this verb. */
static int verb_words(const struct verb *v, char **words, int n)
{
	const char *rest = v->name;
	int i;

	for (i = 0; i < n && *rest; i++) {
		size_t len = strcspn(rest, " ");

		if (strlen(words[i]) != len || strncmp(words[i], rest, len))
			return 0;
		rest += len + (rest[len] == ' ');
	}
	return *rest ? 0 : i;
}

static const struct verb *find_verb(char **words, int n, int *used)
{
	const struct verb *v;
	size_t t;

	for_each_verb(v, t) {
		*used = verb_words(v, words, n);
		if (*used)
			return v;
	}
	return NULL;
}

static void set_option(struct request *r, int opt)
{
	const struct known_option *o = &known_options[opt];
	char *field = (char *)r + o->field;

	if (o->text)
		*(const char **)field = optarg;
	else
		*(bool *)field = true;
}

/* Return: bits of the OPT_* given; the words are then argv[optind] and so on. */
static unsigned int parse_options(struct request *r, int argc, char **argv)
{
	struct option options[OPTIONS + 1] = { { .name = NULL } };
	unsigned int given = 0;
	int opt, index;

	for (int i = 0; i < OPTIONS; i++)
		options[i] = (struct option){
			.name = known_options[i].name,
			.has_arg = known_options[i].text ? required_argument : no_argument,
		};
	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":o:", options, &index)) != -1) {
		if (opt == ':')
			die("%s needs a value: see keelctl --help", argv[optind - 1]);
		if (opt == '?')
			die("%s is not an option, or not a whole one: see keelctl --help",
			    argv[optind - 1]);
		if (opt == 'o')
			index = OPT_OUTPUT;
		set_option(r, index);
		given |= 1U << index;
	}
	return given;
}

static void check_options(const struct verb *v, unsigned int given)
{
	unsigned int known = v->options | 1 << OPT_DEV | 1 << OPT_HELP;

	for (int i = 0; i < OPTIONS; i++)
		if (given & ~known & 1U << i)
			die("%s does not take --%s: see keelctl %s --help", v->name,
			    known_options[i].name, v->name);
}

static void take_vm(const struct verb *v, struct request *r, char **words, int n)
{
	if (n < v->vm)
		die("%s needs a VM: give its id or name, see keelctl list", v->name);
	if (n - v->vm > v->most && !v->least)
		die("\"%s\" is too much: see keelctl %s --help", words[v->vm + v->most], v->name);
	if (n - v->vm < v->least || n - v->vm > v->most)
		die("%s takes a VM and %s: see keelctl %s --help", v->name, v->rest, v->name);
	r->vm = v->vm ? words[0] : NULL;
	r->rest = words + v->vm;
}

int main(int argc, char **argv)
{
	struct request r = { .node = "/dev/keel" };
	unsigned int given = parse_options(&r, argc, argv);
	const struct verb *v;
	int used;

	v = find_verb(argv + optind, argc - optind, &used);
	if (optind < argc && !v)
		die("\"%s\" is not a verb: see keelctl --help", argv[optind]);
	if (!v && !r.help)
		die("no verb: give list, show or another, see keelctl --help");
	if (r.help) {
		if (v)
			print_verb_help(v);
		else
			print_help();
	} else {
		check_options(v, given);
		take_vm(v, &r, argv + optind + used, argc - optind - used);
		v->run(&r);
	}
	output_end();
	return 0;
}
