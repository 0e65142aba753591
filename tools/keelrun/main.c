// SPDX-License-Identifier: GPL-2.0
/* keelrun: run a Linux guest on a KVM node. Options, and what follows a guest's end. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "fdt.h"
#include "loop.h"
#include "machine.h"
#include "terminal.h"

/* Exit statuses beside 0 and 1; a signal gives 128 and its number. */
#define EXIT_RESET	2
#define EXIT_CRASH	3

#define CONSOLE_ARG	"console=hvc0"

enum {
	OPT_KERNEL = 1,
	OPT_INITRD,
	OPT_APPEND,
	OPT_CPUS,
	OPT_MEM,
	OPT_DISK,
	OPT_CONSOLE,
	OPT_PERF,
	OPT_POWER,
	OPT_IDLE,
	OPT_DEV,
	OPT_NO_REBOOT,
	OPT_STATS,
	OPT_HELP,
};

static const struct option options[] = {
	{ "kernel", required_argument, NULL, OPT_KERNEL },
	{ "initrd", required_argument, NULL, OPT_INITRD },
	{ "append", required_argument, NULL, OPT_APPEND },
	{ "cpus", required_argument, NULL, OPT_CPUS },
	{ "mem", required_argument, NULL, OPT_MEM },
	{ "disk", required_argument, NULL, OPT_DISK },
	{ "console", required_argument, NULL, OPT_CONSOLE },
	{ "perf", required_argument, NULL, OPT_PERF },
	{ "power", required_argument, NULL, OPT_POWER },
	{ "idle", required_argument, NULL, OPT_IDLE },
	{ "dev", required_argument, NULL, OPT_DEV },
	{ "no-reboot", no_argument, NULL, OPT_NO_REBOOT },
	{ "stats", no_argument, NULL, OPT_STATS },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

static const char help[] =
"Usage: keelrun --kernel IMAGE [OPTION]...\n"
"Run an arm64 Linux kernel as a guest of keel.ko, or of any KVM node.\n"
"\n"
"  --kernel IMAGE       the kernel: a raw arm64 Image, such as Debian's vmlinuz\n"
"  --initrd FILE        its initial RAM disk\n"
"  --append STRING      its command line\n"
"  --cpus N             virtual CPUs, 1 unless given\n"
"  --mem SIZE           memory, with K, M or G; 512M unless given\n"
"  --disk FILE[,ro]     a raw image as /dev/vda, the next as /dev/vdb, ...; ro: read-only\n"
"  --console serial     the console is the serial port, ttyAMA0 (unless given)\n"
"  --console virtio     the console is hvc0: faster, but silent until its driver is there\n"
"  --perf MIN:MAX[:N]   the guest asks for frequencies, in MHz: any up to MAX, a whole host CPU,\n"
"                       or one of N from MIN to MAX; it is given MIN at least\n"
"  --power off          nothing follows from what it asks for\n"
"  --power hint         host scheduler and frequency are told (unless given)\n"
"  --power cap          that, and no virtual CPU gets more\n"
"  --idle STATE         the guest's idle states: standby, retention, none, or all: unless given,\n"
"                       where the node has them\n"
"  --dev PATH           the KVM node, /dev/keel unless given; /dev/kvm is in-tree KVM\n"
"  --no-reboot          when the guest resets, end instead of booting it again\n"
"  --stats              print exits, the node's statistics, and what the host's PMU counted\n"
"                       in instructions, at the end of each boot\n"
"  --help               print this\n"
"\n"
"On a terminal, Ctrl-a x leaves and Ctrl-a Ctrl-a sends one Ctrl-a.\n"
"\n"
"Exit status: 0 the guest powered off, or Ctrl-a x; 1 wrong use, or the host cannot do it;\n"
"2 the guest reset, with --no-reboot; 3 the guest crashed; 128 + N ended by signal N.\n"
"\n"
"Example:\n"
"  keelrun --kernel vmlinuz --initrd initrd.cpio --cpus 2 --mem 1G --disk root.img\n";

static void set_cpus(struct machine_config *cfg, const char *arg)
{
	u64 n;

	if (!parse_number(arg, &n) || !n)
		die("--cpus %s is not a number of CPUs: give 1 to %llu", arg,
		    (unsigned long long)MAX_CPUS);
	if (n > MAX_CPUS)
		die("too many CPUs: --cpus takes 1 to %llu", (unsigned long long)MAX_CPUS);
	cfg->cpus = n;
}

static void set_mem(struct machine_config *cfg, const char *arg)
{
	if (!parse_size(arg, &cfg->mem) || !cfg->mem)
		die("--mem %s is not a size: give a number with K, M or G, such as 512M", arg);
	if (cfg->mem % SZ_2M)
		die("--mem %s is not a multiple of 2M", arg);
	/* Keeps sums with it from overflowing. */
	if (cfg->mem >> 48)
		die("--mem %s is too large: no arm64 machine has 256 TB", arg);
}

static void add_disk(struct machine_config *cfg, char *arg)
{
	struct disk *disk = &cfg->disks[cfg->nr_disks];
	char *comma = strrchr(arg, ',');

	if (cfg->nr_disks == ARRAY_SIZE(cfg->disks))
		die("too many disks: at most %zu", ARRAY_SIZE(cfg->disks));
	if (comma) {
		if (strcmp(comma, ",ro"))
			die("--disk %s: after the comma only \"ro\" is known", arg);
		*comma = 0;
		disk->read_only = true;
	}
	if (!*arg)
		die("--disk needs the name of an image file");
	disk->path = arg;
	cfg->nr_disks++;
}

static void set_console(struct machine_config *cfg, const char *arg)
{
	if (strcmp(arg, "serial") && strcmp(arg, "virtio"))
		die("--console %s is unknown: give serial or virtio", arg);
	cfg->virtio_console = !strcmp(arg, "virtio");
}

static void print_help(void)
{
	if (fputs(help, stdout) < 0 || fflush(stdout))
		die("cannot print the help: %s", strerror(errno));
	exit(0);
}

static void set_option(struct machine_config *cfg, int opt, char *arg)
{
	switch (opt) {
	case OPT_KERNEL:
		cfg->kernel.path = arg;
		break;
	case OPT_INITRD:
		cfg->initrd.path = arg;
		break;
	case OPT_APPEND:
		cfg->append = arg;
		break;
	case OPT_CPUS:
		set_cpus(cfg, arg);
		break;
	case OPT_MEM:
		set_mem(cfg, arg);
		break;
	case OPT_DISK:
		add_disk(cfg, arg);
		break;
	case OPT_CONSOLE:
		set_console(cfg, arg);
		break;
	case OPT_PERF:
		power_set_perf(&cfg->power, arg);
		break;
	case OPT_POWER:
		power_set_policy(&cfg->power, arg);
		break;
	case OPT_IDLE:
		power_set_idle(&cfg->power, arg);
		break;
	case OPT_DEV:
		cfg->node = arg;
		break;
	case OPT_NO_REBOOT:
		cfg->no_reboot = true;
		break;
	case OPT_STATS:
		cfg->stats = true;
		break;
	case OPT_HELP:
		print_help();
	}
}

static void parse_options(struct machine_config *cfg, int argc, char **argv)
{
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		if (opt == ':')
			die("%s needs a value: see keelrun --help", argv[optind - 1]);
		if (opt == '?')
			die("%s is not an option, or not a whole one: see keelrun --help",
			    argv[optind - 1]);
		set_option(cfg, opt, optarg);
	}
	if (optind < argc)
		die("\"%s\" belongs to no option: see keelrun --help", argv[optind]);
	if (!cfg->kernel.path)
		die("no kernel: give --kernel IMAGE, see keelrun --help");
	power_check(&cfg->power);
}

/* The kernel writes to the virtio console only if told so. */
static void finish_append(struct machine_config *cfg)
{
	char *s;

	if (cfg->virtio_console && !strstr(cfg->append, "console=")) {
		if (asprintf(&s, CONSOLE_ARG "%s%s", *cfg->append ? " " : "", cfg->append) < 0)
			die("out of memory: close other programs on this host");
		cfg->append = s;
	}
	if (strlen(cfg->append) > CMDLINE_MAX)
		die("--append is too long: the kernel takes %d bytes", CMDLINE_MAX);
}

/* Before any other thread starts: they inherit the mask, so only the descriptor gets signals. */
static int catch_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* A write to a closed pipe is an error to handle, not a death. */
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		die("cannot make a signalfd: %s", strerror(errno));
	return fd;
}

static int signal_status(int signal_fd)
{
	struct signalfd_siginfo info;

	if (read(signal_fd, &info, sizeof(info)) != sizeof(info))
		return 1;
	return 128 + info.ssi_signo;
}

int main(int argc, char **argv)
{
	static struct machine_config cfg = {
		.node = "/dev/keel",
		.append = "",
		.cpus = 1,
		.mem = 512 * SZ_1M,
		.power = {
			.policy = KEEL_POWER_HINT,
			.idle = (1U << NR_IDLE_STATES) - 1,
		},
	};
	struct boot_layout layout;
	int kvm_fd, signal_fd;

	parse_options(&cfg, argc, argv);
	finish_append(&cfg);
	loader_open(&cfg.kernel, "kernel");
	loader_open(&cfg.initrd, "initrd");
	loader_plan(&cfg.kernel, &cfg.initrd, cfg.mem, &layout);
	for (unsigned int i = 0; i < cfg.nr_disks; i++)
		disk_open(&cfg.disks[i]);
	kvm_fd = vm_open_node(cfg.node);
	signal_fd = catch_signals();
	loop_init();
	terminal_init(signal_fd);

	for (;;) {
		switch (machine_run(&cfg, kvm_fd, &layout, signal_fd)) {
		case VM_RESET:
			if (cfg.no_reboot)
				return EXIT_RESET;
			break;
		case VM_CRASH:
			return EXIT_CRASH;
		case VM_SIGNAL:
			return signal_status(signal_fd);
		default:
			return 0;
		}
	}
}
