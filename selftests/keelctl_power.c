// SPDX-License-Identifier: GPL-2.0
/* keelctl power and top: a guest that asks for performance and sleeps, and what keel says of it. */
#include <errno.h>
#include <linux/keel.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guests/keelctl_power.h"
#include "lib/json.h"
#include "lib/keelctl.h"
#include "lib/picture.h"
#include "lib/vm.h"

GUEST_DECLARE(keelctl_power);

#define FULL_KHZ	1000000
#define CHART_WIDTH	1132
#define CHART_HEAD	78
#define CHART_PANEL	280

static struct vm vm;

/* The second vCPU stays off. */
static void create(void)
{
	vm_create(&vm);
	vm_add_guest(&vm, guest_keelctl_power, guest_keelctl_power_end, 1);
	vcpu_init(vcpu_create(&vm, 5), true);
	vm_gic_create(&vm, 64);
	set_name(&vm, "asking");
	vcpu_run_sync(&vm.vcpus[0]);
}

static void add_registers(void)
{
	struct keel_power_page page = {
		.size = sizeof(page),
		.ipa = REGISTERS_IPA,
		.layout = KEEL_POWER_PAGE_CPUFREQ,
		.nr_vcpus = 6,
		.nr_levels = 2,
		.level = { FULL_KHZ / 4, FULL_KHZ },
	};

	REQUIRE_OK(ioctl(vm.fd, KEEL_POWER_PAGE, &page));
}

static void add_states(void)
{
	struct keel_power_states states = {
		.size = sizeof(states),
		.nr = 2,
		.state = {
			{ STATE_SHALLOW, 0, 50, 100, "shallow" },
			{ STATE_DEEP, KEEL_POWER_STATE_DEEP, 500, 2000, "deep" },
		},
	};

	REQUIRE_OK(ioctl(vm.fd, KEEL_POWER_STATES, &states));
}

static struct keel_power power_of(void)
{
	struct keel_power power = { .size = sizeof(power) };

	REQUIRE_OK(ioctl(vm.fd, KEEL_POWER, &power));
	return power;
}

static struct keel_power_vcpu vcpu_of(u32 id)
{
	struct keel_power_vcpu v = { .size = sizeof(v), .vcpu = id };

	REQUIRE_OK(ioctl(vm.fd, KEEL_POWER_VCPU, &v));
	return v;
}

static void put_command(u64 op, u64 value)
{
	struct power_command cmd = { op, value };

	memcpy(vm_ptr(&vm, SHARED_IPA), &cmd, sizeof(cmd));
}

static void command(u64 op, u64 value)
{
	put_command(op, value);
	vcpu_run_sync(&vm.vcpus[0]);
}

/* One that goes on for ever, in threads; it has begun on return. */
static void start(u64 op, u64 value)
{
	put_command(op, value);
	vm_start(&vm);
	while (!READ_ONCE(*(u64 *)vm_ptr(&vm, BEGUN_IPA)))
		sched_yield();
}

static void stop(void)
{
	vm_stop(&vm);
	vm_destroy(&vm);
}

/* Of nobody who uses it. */
static void unused(void)
{
	create();
	answers(NULL, "keelctl power show asking");
	CHECK(has_line(out, "policy off"));
	CHECK(has_line(out, "range 0.0-100.0%%"));
	CHECK(has_line(out, "registers none"));
	CHECK(has_line(out, "states 0"));
	CHECK(has_line(out, "VCPU STATE ASKED%% TARGET%% DELIVERED%% NICE RUN S WAIT S HELD S %s",
		       "ASKS CHANGES"));
	CHECK(has_line(out, "0 run - 100.0 100.0 0 0.000 0.000 0.000 0 0"));
	CHECK(has_line(out, "5 off - 100.0 100.0 0 0.000 0.000 0.000 0 0"));
	answers_json(NULL, "keelctl power show asking --json");
	CHECK(json_is(out, "policy", "off"));
	CHECK(json_is(out, "registers", "none"));
	CHECK(!json_find(out, "ipa"));
	CHECK(!json_find(out, "vcpus.0.asked_percent"));
	answers(NULL, "keelctl top asking --once --interval 0.1");
	CHECK(has_line(out, "VM NAME VCPU STATE CPU%% EXITS/S EL2/S"));
	answers_json(NULL, "keelctl top asking --json --interval 0.1");
	CHECK(!json_find(out, "vms.0.vcpus.0.power"));
	vm_destroy(&vm);
}

/* A number with one decimal at a place in what was printed, ten times. */
static u64 tenths(const char *path)
{
	const char *s = json_find(out, path);

	if (!s)
		ktap_fail("nothing at %s: %s", path, out);
	return strtod(s, NULL) * 10 + 0.5;
}

static void check_sleep(const struct keel_power_sleep *s, const char *name)
{
	static const char *const keys[] = {
		"count", "residency_ns", "woken", "latency_ns", "latency_max_ns",
	};
	const u64 want[] = { s->count, s->residency, s->woken, s->latency, s->latency_max };
	char path[64];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		snprintf(path, sizeof(path), "vcpus.0.sleeps.%s.%s", name, keys[i]);
		CHECK_EQ(json_u64(out, path), want[i]);
	}
}

static void check_json(const struct keel_power_vcpu *v)
{
	CHECK_EQ(json_u64(out, "vcpus.0.id"), v->vcpu);
	CHECK_EQ(tenths("vcpus.0.asked_percent"), (v->asked * 1000 + 512) / 1024);
	CHECK_EQ(tenths("vcpus.0.target_percent"), (v->target * 1000 + 512) / 1024);
	CHECK_EQ(tenths("vcpus.0.delivered_percent"), (v->delivered * 1000 + 512) / 1024);
	CHECK_EQ(json_u64(out, "vcpus.0.nice"), v->nice);
	CHECK_EQ(json_u64(out, "vcpus.0.run_ns"), v->run);
	CHECK_EQ(json_u64(out, "vcpus.0.wait_ns"), v->wait);
	CHECK_EQ(json_u64(out, "vcpus.0.held_ns"), v->held);
	CHECK_EQ(json_u64(out, "vcpus.0.polled_ns"), v->polled);
	CHECK_EQ(json_u64(out, "vcpus.0.asks"), v->asks);
	CHECK_EQ(json_u64(out, "vcpus.0.changes"), v->changes);
	CHECK_EQ(json_u64(out, "vcpus.0.wfe"), v->wfe);
	check_sleep(&v->sleep[KEEL_POWER_WFI], "wfi");
	check_sleep(&v->sleep[KEEL_POWER_STATE + 1], "state1");
	check_sleep(&v->sleep[KEEL_POWER_CPU_OFF], "off");
}

/* As the table has it. The vCPU is awake, so all its sleeps are over. */
static bool has_sleep(const char *name, const struct keel_power_sleep *s)
{
	return has_line(out, "%s %llu %.3f %.1f %.1f %.1f", name, s->count, s->residency / 1e9,
			s->residency / 1e3 / s->count, s->latency / 1e3 / s->woken,
			s->latency_max / 1e3);
}

static void show(void)
{
	struct keel_power_vcpu v;

	create();
	add_registers();
	add_states();
	answers(NULL, "keelctl power set asking --policy hint --max 75");
	CHECK(!*out);
	command(POWER_ASK, FULL_KHZ / 4);
	command(POWER_WFI, 5);
	command(POWER_SUSPEND, 3);
	v = vcpu_of(0);
	CHECK_EQ(v.asked, KEEL_POWER_FULL / 4);
	/* Where the host is slow the time is over before it sleeps, but not each time. */
	REQUIRE(v.sleep[KEEL_POWER_WFI].woken);
	REQUIRE(v.sleep[KEEL_POWER_STATE + 1].woken);
	answers_json(NULL, "keelctl power show asking 0 --json");
	CHECK(json_is(out, "policy", "hint"));
	CHECK_EQ(tenths("max_percent"), 750);
	CHECK(json_is(out, "registers", "cpufreq"));
	CHECK(json_is(out, "ipa", "0xa000000"));
	CHECK_EQ(json_u64(out, "nr_states"), 2);
	CHECK(json_is(out, "vcpus.0.state", "run"));
	check_json(&v);
	CHECK(!json_find(out, "vcpus.0.sleeps.state2"));
	CHECK(!json_find(out, "vcpus.1"));
	answers(NULL, "keelctl power show asking 0");
	CHECK(has_line(out, "registers cpufreq at 0xa000000"));
	CHECK(has_line(out, "states 2"));
	CHECK(has_line(out, "0 run 25.0 25.0 %.1f %d %.3f %.3f %.3f 1 %llu",
		       v.delivered * 100.0 / 1024, v.nice, v.run / 1e9, v.wait / 1e9,
		       v.held / 1e9, v.changes));
	CHECK(has_sleep("wfi", &v.sleep[KEEL_POWER_WFI]));
	CHECK(has_sleep("state1", &v.sleep[KEEL_POWER_STATE + 1]));
	CHECK(!has_line(out, "state0 *"));
	CHECK(has_line(out, "polled %.3f s", v.polled / 1e9));
	CHECK(has_line(out, "wfe %llu", v.wfe));
	answers(NULL, "keelctl power show asking 5");
	CHECK(has_line(out, "5 off - 75.0 *"));
	CHECK(has_line(out, "off 0 0.000 - - -"));
	vm_destroy(&vm);
}

static void check_settings(u32 policy, u32 min, u32 max)
{
	struct keel_power power = power_of();

	CHECK(!*out);
	CHECK_EQ(power.policy, policy);
	CHECK_EQ(power.min, min);
	CHECK_EQ(power.max, max);
}

static void set(void)
{
	create();
	answers(NULL, "keelctl power set asking --policy cap --min 12.5 --max 50");
	check_settings(KEEL_POWER_CAP, 128, 512);
	answers(NULL, "keelctl power set asking --max 99.9");
	check_settings(KEEL_POWER_CAP, 128, 1023);
	answers(NULL, "keelctl power set asking --min 0");
	check_settings(KEEL_POWER_CAP, 0, 1023);
	answers(NULL, "keelctl power set asking --policy hint");
	check_settings(KEEL_POWER_HINT, 0, 1023);
	answers(NULL, "keelctl power set asking --policy off --min 100 --max 100");
	check_settings(KEEL_POWER_OFF, 1024, 1024);
	answers(NULL, "keelctl power set asking --min 0.1 --max 0.1");
	check_settings(KEEL_POWER_OFF, 1, 1);
	vm_destroy(&vm);
}

static void errors(void)
{
	create();
	answers(NULL, "keelctl power set asking --min 20 --max 50");
	refuses(1, "needs something to set", NULL, "keelctl power set asking");
	refuses(1, "--policy takes off, hint or cap, not 'on'", NULL,
		"keelctl power set asking --policy on");
	refuses(1, "--min takes percent from 0", NULL, "keelctl power set asking --min 101");
	refuses(1, "not '100.1'", NULL, "keelctl power set asking --max 100.1");
	refuses(1, "not '-1'", NULL, "keelctl power set asking --min=-1");
	refuses(1, "not '12.55'", NULL, "keelctl power set asking --min 12.55");
	refuses(1, "not '12.'", NULL, "keelctl power set asking --max 12.");
	refuses(1, "not '50%'", NULL, "keelctl power set asking --max 50%");
	refuses(1, "--max takes percent", NULL, "keelctl power set asking --max 99999999999999");
	refuses(1, "would let no vCPU run", NULL, "keelctl power set asking --max 0");
	refuses(1, "--min 60 is above --max 50", NULL,
		"keelctl power set asking --min 60 --max 50");
	refuses(1, "--min 60 is above the maximum, 50.0: give --max too", NULL,
		"keelctl power set asking --min 60");
	refuses(1, "--max 10 is below the minimum, 20.0: give --min too", NULL,
		"keelctl power set asking --max 10");
	check_settings(KEEL_POWER_OFF, 205, 512);
	refuses(2, "no VM nobody", NULL, "keelctl power set nobody --max 10");
	refuses(2, "no VM nobody", NULL, "keelctl power show nobody");
	refuses(2, "has no vCPU 7", NULL, "keelctl power show asking 7");
	refuses(1, "'x' is no vCPU", NULL, "keelctl power show asking x");
	refuses(1, "power show does not take --for", NULL, "keelctl power show asking --for 1");
	refuses(1, "--for takes seconds from 0.1", NULL, "keelctl power record asking --for 0");
	refuses(1, "--every takes milliseconds", NULL, "keelctl power record asking --every 0");
	refuses(1, "more than 4000000 samples", NULL,
		"keelctl power record asking --for 86400 --every 1");
	refuses(2, "has no vCPU 7", NULL, "keelctl power record asking 7");
	refuses(1, "end it with .svg or .png", NULL, "keelctl power record asking -o a.gif");
	refuses(1, "cannot write /nowhere/a.svg", NULL,
		"keelctl power record asking --output /nowhere/a.svg");
	refuses(1, "-o needs a value", NULL, "keelctl power record asking -o");
	refuses(1, "nobody serves VM", NULL, "keelctl power off asking");
	vm_destroy(&vm);
}

/* Each of the two values was seen, and no other, in time's order. */
static void check_samples(void)
{
	u64 seen = 0, before = 0, at;
	char path[64];
	int i;

	for (i = 0;; i++) {
		snprintf(path, sizeof(path), "vcpus.0.samples.%d.time_ns", i);
		if (!json_find(out, path))
			break;
		at = json_u64(out, path);
		CHECK(i ? at > before : !at);
		before = at;
		snprintf(path, sizeof(path), "vcpus.0.samples.%d.asked_percent", i);
		at = tenths(path);
		CHECK(at == 250 || at == 500);
		seen |= at == 250 ? 1 : 2;
	}
	CHECK_EQ(seen, 3);
}

static void record(void)
{
	create();
	add_registers();
	start(POWER_TOGGLE, FULL_KHZ / 4);
	answers_json(NULL, "keelctl power record asking --for 0.6 --every 20 --json");
	CHECK_EQ(json_u64(out, "every_ns"), 20000000);
	CHECK(json_is(out, "name", "asking"));
	check_samples();
	CHECK_EQ(json_u64(out, "vcpus.1.id"), 5);
	CHECK(json_is(out, "vcpus.1.samples.0.state", "off"));
	CHECK(!json_find(out, "vcpus.1.samples.0.asked_percent"));
	CHECK_EQ(tenths("vcpus.1.samples.0.target_percent"), 1000);
	answers(NULL, "keelctl power record asking 0 --for 0.3 --every 10");
	CHECK(has_line(out, "TIME S VCPU STATE ASKED%% TARGET%% DELIVERED%%"));
	CHECK(has_line(out, "0.000 0 run *"));
	CHECK(has_line(out, "0.* 0 run 25.0 25.0 *"));
	CHECK(has_line(out, "0.* 0 run 50.0 50.0 *"));
	CHECK(!has_line(out, "* 5 off *"));
	stop();
}

static void check_chart(const struct picture *p, u32 panels)
{
	CHECK_EQ(p->width, CHART_WIDTH);
	CHECK_EQ(p->height, CHART_HEAD + panels * CHART_PANEL);
}

static int count(const char *text, const char *what)
{
	int n = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		n++;
	}
	return n;
}

static void charts(void)
{
	struct picture p;
	char *svg;

	create();
	add_registers();
	start(POWER_TOGGLE, FULL_KHZ / 4);
	answers(NULL, "keelctl power record asking --for 0.3 --every 10 -o /tmp/asking.svg");
	CHECK(!*out);
	picture_svg("/tmp/asking.svg", &p);
	check_chart(&p, 2);
	svg = (char *)p.data;
	CHECK(strstr(svg, ">vCPU 0<"));
	CHECK(strstr(svg, ">vCPU 5<"));
	CHECK(strstr(svg, ">asked<"));
	CHECK(strstr(svg, ">delivered<"));
	CHECK_EQ(count(svg, ">100 %<"), 2);
	CHECK_EQ(count(svg, ">0 s<"), 2);
	/* Three in the legend; of vCPU 5, which has not asked, two. */
	CHECK_EQ(count(svg, "<polyline "), 3 + 3 + 2);
	picture_free(&p);
	answers_json(NULL, "keelctl power record asking 0 --for 0.1 -o /tmp/asking.png --json");
	CHECK(json_find(out, "vcpus.0.samples.0"));
	picture_png("/tmp/asking.png", &p);
	check_chart(&p, 1);
	picture_free(&p);
	stop();
}

/* It records for an hour, and has begun on return: its file is there. */
static pid_t start_recording(int said)
{
	pid_t pid = fork();

	if (!pid) {
		dup2(said, 2);
		execlp("keelctl", "keelctl", "power", "record", "asking", "--for", "3600", "-o",
		       "/tmp/asking.svg", NULL);
		_exit(127);
	}
	while (access("/tmp/asking.svg", F_OK))
		sched_yield();
	return pid;
}

static void check_recorded(pid_t pid, int said, const char *want)
{
	char text[80] = "";
	struct picture p;
	int status;

	REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
	REQUIRE(pread(said, text, sizeof(text) - 1, 0) >= 0);
	CHECK(*want ? has_line(text, "%s", want) : !*text);
	picture_svg("/tmp/asking.svg", &p);
	check_chart(&p, 2);
	picture_free(&p);
}

/* By a signal, and by the end of the VM: what was seen until then is written. */
static void ends_early(void)
{
	int said = memfd_create("said", MFD_CLOEXEC);
	pid_t pid;

	REQUIRE_OK(said);
	create();
	add_registers();
	pid = start_recording(said);
	REQUIRE_OK(kill(pid, SIGINT));
	check_recorded(pid, said, "");
	pid = start_recording(said);
	vm_destroy(&vm);
	check_recorded(pid, said, "keelctl: VM * has ended");
}

static void top_idle(void)
{
	create();
	add_registers();
	command(POWER_ASK, FULL_KHZ / 4);
	start(POWER_IDLE, 0);
	while (vcpu_of(0).state != KEEL_POWER_WFI)
		sched_yield();
	answers_json(NULL, "keelctl top asking --json --interval 0.2");
	CHECK(json_is(out, "vms.0.vcpus.0.power.state", "wfi"));
	CHECK_EQ(tenths("vms.0.vcpus.0.power.asked_percent"), 250);
	CHECK(tenths("vms.0.vcpus.0.power.asleep_percent") > 500);
	CHECK(json_is(out, "vms.0.vcpus.1.power.state", "off"));
	CHECK(!json_find(out, "vms.0.vcpus.1.power.asked_percent"));
	CHECK(!json_find(out, "vms.0.power"));
	stop();
}

static void top_busy(void)
{
	struct keel_power power = {
		.size = sizeof(power), .set = KEEL_POWER_SET_POLICY, .policy = KEEL_POWER_HINT,
	};

	create();
	REQUIRE_OK(ioctl(vm.fd, KEEL_POWER, &power));
	start(POWER_BUSY, 0);
	answers(NULL, "keelctl top asking --once --interval 0.2");
	CHECK(has_line(out, "VM NAME VCPU STATE CPU%% EXITS/S EL2/S ASKED%% DELIV%% ASLEEP%% %s",
		       "POWER*"));
	CHECK(has_line(out, "* asking all 2 vCPUs * - - - -*"));
	CHECK(has_line(out, "* asking 0 * - *.* 0.0 run*"));
	CHECK(has_line(out, "* asking 5 off * - 100.0 100.0 off*"));
	stop();
}

static const struct ktap_case cases[] = {
	{ "unused", unused },
	{ "show", show },
	{ "set", set },
	{ "errors", errors },
	{ "record", record },
	{ "charts", charts },
	{ "ends_early", ends_early },
	{ "top_idle", top_idle },
	{ "top_busy", top_busy },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
