// SPDX-License-Identifier: GPL-2.0
/* keelctl's verbs: what they print of a VM of this test, and of a keelrun guest; their errors. */
#include <errno.h>
#include <fcntl.h>
#include <linux/keel.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/busy.h"
#include "lib/json.h"
#include "lib/keelctl.h"
#include "lib/poke.h"
#include "lib/vm.h"

#define COUNTER_IPA	(SHARED_IPA + 0x1000)

/* Place of the element with this name in the list; ends the case without one. */
static void element_of(const char *name, char *place)
{
	char path[32];
	int i;

	for (i = 0; i < 100; i++) {
		sprintf(place, "%d", i);
		sprintf(path, "%d.name", i);
		if (json_is(out, path, name))
			return;
	}
	ktap_fail("%s is not listed: %s", name, out);
}

static u64 element_u64(const char *place, const char *key)
{
	char path[64];

	snprintf(path, sizeof(path), "%s.%s", place, key);
	return json_u64(out, path);
}

static bool answer_zero(struct vcpu *vcpu)
{
	memset(vcpu->run->mmio.data, 0, sizeof(vcpu->run->mmio.data));
	return true;
}

static void list(void)
{
	char place[16];
	struct vm vm;
	u64 id;

	poke_create(&vm);
	set_name(&vm, "a \"b\\c");
	answers_json(NULL, "keelctl list --json");
	element_of("a \\\"b\\\\c", place);
	id = element_u64(place, "id");
	CHECK_EQ(element_u64(place, "uid"), 0);
	CHECK_EQ(element_u64(place, "gid"), 0);
	CHECK_EQ(element_u64(place, "tgid"), getpid());
	CHECK_EQ(element_u64(place, "nr_vcpus"), 1);
	CHECK_EQ(element_u64(place, "memory"), RAM_SIZE);
	CHECK(element_u64(place, "age_ns") < 60000000000);
	CHECK_EQ(element_u64(place, "exits_per_second"), 0);

	answers(NULL, "keelctl list");
	CHECK(has_line(out, "ID OWNER VCPUS MEMORY UPTIME EXITS/S NAME"));
	/* No test sleeps, but time passes. */
	CHECK(has_line(out, "%llu 0 1 %dM *s 0 a \"b?c", id, RAM_SIZE >> 20));
	vm_destroy(&vm);
	answers(NULL, "keelctl list");
	CHECK(!strstr(out, "a \"b\\c"));
}

/* A guest that reads from a device all the time exits at least once in 200 ms. */
static void list_rate(void)
{
	struct poke *cmd;
	char place[16];
	struct vm vm;

	poke_create(&vm);
	set_name(&vm, "exiting");
	cmd = vm_ptr(&vm, SHARED_IPA);
	*cmd = (struct poke){
		.op = POKE_LOOP, .addr = COUNTER_IPA, .value = MMIO_IPA, .len = 4,
	};
	vm.exit = answer_zero;
	vm_start(&vm);
	while (!READ_ONCE(*(u64 *)vm_ptr(&vm, COUNTER_IPA)))
		sched_yield();
	answers_json(NULL, "keelctl list --json");
	element_of("exiting", place);
	CHECK(element_u64(place, "exits_per_second") > 0);
	vm_stop(&vm);
	vm_destroy(&vm);
}

static void show(void)
{
	struct vm vm;

	poke_create(&vm);
	vcpu_init(vcpu_create(&vm, 5), true);
	set_name(&vm, "two vCPUs");
	CHECK(poke_exits(&vm, true, MMIO_IPA, 4, 1));
	answers_json("two vCPUs", "keelctl show %s --json");
	CHECK(json_is(out, "name", "two vCPUs"));
	CHECK_EQ(json_u64(out, "nr_vcpus"), 2);
	CHECK_EQ(json_u64(out, "vcpus.0.id"), 0);
	CHECK(json_is(out, "vcpus.0.state", "outside"));
	CHECK(!json_find(out, "vcpus.0.cpu"));
	CHECK(json_u64(out, "vcpus.0.exits") >= 3);
	CHECK_EQ(json_u64(out, "vcpus.1.id"), 5);
	CHECK(json_is(out, "vcpus.1.state", "off"));
	CHECK_EQ(json_u64(out, "vcpus.1.exits"), 0);
	CHECK_EQ(json_u64(out, "vcpus.1.exits_el2"), 0);
	CHECK(!json_find(out, "vcpus.2"));

	answers("two vCPUs", "keelctl show %s");
	CHECK(has_line(out, "name two vCPUs"));
	CHECK(has_line(out, "process %d", getpid()));
	CHECK(has_line(out, "memory %dM", RAM_SIZE >> 20));
	CHECK(has_line(out, "VCPU STATE CPU EXITS EXITS AT EL2"));
	CHECK(has_line(out, "5 off - 0 0"));
	vm_destroy(&vm);
}

static u64 stat_of(int vcpu, const char *name)
{
	int fd = kvm_stats_open(vcpu);
	u64 value = kvm_stat(fd, name);

	close(fd);
	return value;
}

static void stats(void)
{
	u64 dabt, exits, el2;
	struct vm vm;
	int i;

	poke_create(&vm);
	vcpu_init(vcpu_create(&vm, 1), true);
	set_name(&vm, "counted");
	for (i = 0; i < 10; i++)
		CHECK(poke_exits(&vm, true, MMIO_IPA, 4, i));
	dabt = stat_of(vm.vcpus[0].fd, "exit_dabt");
	el2 = stat_of(vm.vcpus[0].fd, "exit_dabt_el2");
	exits = stat_of(vm.vcpus[0].fd, "exits");
	REQUIRE(dabt >= 20);
	answers_json(NULL, "keelctl stats counted --json");
	CHECK_EQ(json_u64(out, "vcpus.0.exits.dabt.second_tier"), dabt);
	CHECK_EQ(json_u64(out, "vcpus.0.exits.dabt.first_tier"), el2);
	CHECK_EQ(json_u64(out, "vcpus.0.counters.exits"), exits);
	CHECK_EQ(json_u64(out, "vcpus.0.counters.mmio_exit_user"),
		 stat_of(vm.vcpus[0].fd, "mmio_exit_user"));
	CHECK_EQ(json_u64(out, "vcpus.1.id"), 1);
	CHECK_EQ(json_u64(out, "vcpus.1.counters.exits"), 0);
	CHECK_EQ(json_u64(out, "counters.remote_tlb_flush"), stat_of(vm.fd, "remote_tlb_flush"));
	CHECK(!json_find(out, "vcpus.0.counters.exit_dabt"));

	answers(NULL, "keelctl stats counted");
	CHECK(has_line(out, "EXIT FIRST TIER SECOND TIER"));
	CHECK(has_line(out, "dabt %llu %llu", el2, dabt));
	CHECK(has_line(out, "exits %llu", exits));
	CHECK(!has_line(out, "sve 0 0"));
	CHECK(!has_line(out, "dabt_el2 0 %llu", el2));
	answers(NULL, "keelctl stats counted --all");
	CHECK(has_line(out, "sve 0 0"));
	CHECK(has_line(out, "undef 0"));
	answers(NULL, "keelctl stats --vcpus --all counted");
	CHECK(has_line(out, "vCPU 0"));
	CHECK(has_line(out, "dabt %llu %llu", el2, dabt));
	CHECK(has_line(out, "vCPU 1"));
	CHECK(has_line(out, "dabt 0 0"));
	vm_destroy(&vm);
}

/* The sum over vCPUs: of a VM whose two vCPUs run the same few instructions. */
static void sums(void)
{
	u64 sum = 0;
	struct vm vm;
	int i;

	poke_create(&vm);
	vcpu_init(vcpu_create(&vm, 1), false);
	set_name(&vm, "summed");
	/* The guest's stack is that of the first vCPU; nobody runs at the same time. */
	vcpu_start_at(&vm.vcpus[1], RAM_IPA, 0);
	vcpu_run_sync(&vm.vcpus[1]);
	for (i = 0; i < 2; i++)
		sum += stat_of(vm.vcpus[i].fd, "exits");
	CHECK(stat_of(vm.vcpus[1].fd, "exits") > 0);
	answers(NULL, "keelctl stats summed");
	CHECK(has_line(out, "exits %llu", sum));
	vm_destroy(&vm);
}

#define MAP	"/tmp/keelctl-map"

static void write_map(const char *text)
{
	FILE *f = fopen(MAP, "we");

	REQUIRE(f);
	REQUIRE(fputs(text, f) >= 0);
	REQUIRE_OK(fclose(f));
}

/* In no order, with absolute symbols, data, two names for one function, and lines that are none. */
static const char map_text[] =
	"ffff800081000000 B _end\n"
	"ffff800080000100 T do_idle\n"
	"\n"
	"0000000000000002 A _kernel_flags_le_lo32\n"
	"ffff800080000200 D idle_data\n"
	"add to them\n"
	"ffff800080000000 t first\n"
	"ffff800080000100 t __do_idle\n"
	"ffff800080000300 W behind\n";

/* What keelctl says of a vCPU that does not run, with these values. */
static void check_row(struct vm *vm, u64 pc, u64 pstate, const char *decoded, const char *symbol)
{
	vcpu_set(&vm->vcpus[0], REG_PC, pc);
	vcpu_set(&vm->vcpus[0], REG_PSTATE, pstate);
	answers(NULL, "keelctl pnmi sample sampled --map " MAP);
	if (!has_line(out, "0 host 0x%llx %s 0x4??????? 0x55 %s", pc, decoded, symbol))
		ktap_fail("not 0x%llx, %s, %s: %s", pc, decoded, symbol, out);
}

static void pnmi_sample_decode(void)
{
	struct vm vm;

	write_map(map_text);
	poke_create(&vm);
	vcpu_init(vcpu_create(&vm, 7), true);
	set_name(&vm, "sampled");
	vcpu_set(&vm.vcpus[0], REG_X(29), 0x55);
	vcpu_set(&vm.vcpus[0], REG_CORE(regs.sp), SHARED_IPA + 0x10);
	check_row(&vm, 0xffff800080000114, 0x3c5, "EL1h DAIF", "do_idle+0x14");
	check_row(&vm, 0xffff800080000100, 0x85, "EL1h I", "do_idle+0x0");
	check_row(&vm, 0xffff8000800000ff, 0x5, "EL1h", "first+0xff");
	check_row(&vm, 0xffff800080000204, 0x4, "EL1t", "do_idle+0x104");
	check_row(&vm, 0xffff800080fffffc, 0x344, "EL1t DAF", "behind+0xfffcfc");
	check_row(&vm, 0xffff800081000000, 0x205, "EL1h D", "-");
	check_row(&vm, 0xffff7ffffffffffc, 0x5, "EL1h", "-");
	check_row(&vm, 0x400000, 0x5, "EL1h", "-");
	check_row(&vm, 0xffff800080000114, 0x0, "EL0t", "-");
	CHECK(has_line(out, "VCPU WHERE PC PSTATE SP FP SYMBOL"));
	CHECK(has_line(out, "7 off - - - - -"));
	answers_json(NULL, "keelctl pnmi sample sampled --json --map " MAP);
	CHECK(json_is(out, "vcpus.0.pc", "0xffff800080000114"));
	CHECK(json_is(out, "vcpus.0.pstate_text", "EL0t"));
	CHECK(json_is(out, "vcpus.0.fp", "0x55"));
	CHECK(!json_find(out, "vcpus.0.symbol"));
	CHECK_EQ(json_u64(out, "vcpus.1.id"), 7);
	CHECK(json_is(out, "vcpus.1.where", "off"));
	CHECK(!json_find(out, "vcpus.1.pc"));
	CHECK(!json_find(out, "vcpus.2"));
	unlink(MAP);
	vm_destroy(&vm);
}

static u64 json_hex(const char *path)
{
	const char *s = json_find(out, path);

	REQUIRE(s && !strncmp(s, "\"0x", 3));
	return strtoull(s + 1, NULL, 16);
}

static void pnmi_sample_running(void)
{
	char map[128], want[64];
	struct poke *cmd;
	struct vm vm;
	u64 pc;

	snprintf(map, sizeof(map), "%x B _end\n%x t guest\n", RAM_IPA + RAM_SIZE, RAM_IPA);
	write_map(map);
	poke_create(&vm);
	set_name(&vm, "running");
	cmd = vm_ptr(&vm, SHARED_IPA);
	*cmd = (struct poke){ .op = POKE_LOOP, .addr = COUNTER_IPA };
	vm_start(&vm);
	while (!READ_ONCE(*(u64 *)vm_ptr(&vm, COUNTER_IPA)))
		sched_yield();
	answers_json(NULL, "keelctl pnmi sample running --json --map " MAP);
	CHECK(json_is(out, "vcpus.0.where", "guest") || json_is(out, "vcpus.0.where", "host"));
	pc = json_hex("vcpus.0.pc");
	CHECK(pc >= RAM_IPA && pc < SHARED_IPA);
	CHECK_EQ(json_hex("vcpus.0.pstate") & 0x1f, 0x5);
	CHECK_EQ(json_hex("vcpus.0.sp") & ~(u64)(RAM_SIZE - 1), RAM_IPA);
	snprintf(want, sizeof(want), "guest+0x%llx", pc - RAM_IPA);
	CHECK(json_is(out, "vcpus.0.symbol", want));
	answers(NULL, "keelctl pnmi sample running");
	CHECK(has_line(out, "VCPU WHERE PC PSTATE SP FP"));
	CHECK(has_line(out, "0 *st 0x40* EL1h* 0x4* 0x*"));
	vm_stop(&vm);
	vm_destroy(&vm);
	unlink(MAP);
	refuses(2, "no VM running", NULL, "keelctl pnmi sample running");
}

static void pnmi_sample_map_errors(void)
{
	struct vm vm;

	poke_create(&vm);
	set_name(&vm, "mapless");
	refuses(1, "cannot open /nowhere: No such file", NULL,
		"keelctl pnmi sample mapless --map /nowhere");
	refuses(1, "cannot read /tmp: Is a directory", NULL,
		"keelctl pnmi sample mapless --map /tmp");
	write_map("");
	refuses(1, MAP " names no code", NULL, "keelctl pnmi sample mapless --map " MAP);
	write_map("ffff800080000000 D data\n0 A absolute\nffff800080000000 t\n");
	refuses(1, MAP " names no code", NULL, "keelctl pnmi sample mapless --map " MAP);
	unlink(MAP);
	vm_destroy(&vm);
}

/* Too soon after another sample: keelctl waits, but not for ever. */
static void pnmi_sample_too_soon(void)
{
	long before = keel_parameter("pnmi_interval");
	struct vm vm;
	int i;

	poke_create(&vm);
	set_name(&vm, "rare");
	keel_parameter_set("pnmi_interval", 300000);
	for (i = 0; i < 3; i++)
		answers_json(NULL, "keelctl pnmi sample rare --json");
	keel_parameter_set("pnmi_interval", 3600000000);
	refuses(1, "was sampled just now", NULL, "keelctl pnmi sample rare");
	keel_parameter_set("pnmi_interval", before);
	answers(NULL, "keelctl pnmi sample rare");
	vm_destroy(&vm);
}

static const struct {
	const char *name, *instruction;
	u32 hook;
} doors[] = {
	{ "dcc", "MRS XZR, MDCCSR_EL0", KEEL_HOOK_BACKDOOR_DCC },
	{ "brk", "BRK #0x86", KEEL_HOOK_BACKDOOR_BRK },
	{ "hvc", "HVC #0x86", KEEL_HOOK_BACKDOOR_HVC },
};

#define DOORS	(KEEL_HOOK_BACKDOOR_DCC | KEEL_HOOK_BACKDOOR_BRK | KEEL_HOOK_BACKDOOR_HVC)

/* The JSON in out says that these doors are on, and no others. */
static void check_doors_json(u64 id, u32 want)
{
	const char *value;
	char path[32];
	size_t i;

	CHECK_EQ(json_u64(out, "vm"), id);
	for (i = 0; i < ARRAY_SIZE(doors); i++) {
		snprintf(path, sizeof(path), "backdoor.%s", doors[i].name);
		value = json_find(out, path);
		if (!value || strncmp(value, want & doors[i].hook ? "true" : "false", 4))
			ktap_fail("%s is not %#x: %s", path, want & doors[i].hook, out);
	}
}

/* The same of show's table and of the module. */
static void check_doors(struct vm *vm, u32 want)
{
	struct keel_hooks hooks = { .size = sizeof(hooks) };
	size_t i;

	REQUIRE_OK(ioctl(vm->fd, KEEL_HOOKS, &hooks));
	CHECK_EQ(hooks.hooks & DOORS, want);
	answers(NULL, "keelctl backdoor show guarded");
	CHECK(has_line(out, "DOOR STATE INSTRUCTION"));
	for (i = 0; i < ARRAY_SIZE(doors); i++)
		CHECK(has_line(out, "%s %s %s", doors[i].name,
			       want & doors[i].hook ? "on" : "off", doors[i].instruction));
}

static void says_nothing(const char *command)
{
	answers(NULL, command);
	if (*out)
		ktap_fail("%s: says %s", command, out);
}

static void backdoor(void)
{
	struct vm vm, other;
	u64 id;

	vm_create(&vm);
	vm_create(&other);
	set_name(&vm, "guarded");
	answers_json(NULL, "keelctl show guarded --json");
	id = json_u64(out, "id");
	check_doors(&vm, keel_parameter("hooks") & DOORS);
	says_nothing("keelctl backdoor off guarded");
	check_doors(&vm, 0);
	/* brk only for those who ask for it. */
	says_nothing("keelctl backdoor on guarded");
	check_doors(&vm, KEEL_HOOK_BACKDOOR_DCC | KEEL_HOOK_BACKDOOR_HVC);
	says_nothing("keelctl backdoor off guarded hvc dcc");
	check_doors(&vm, 0);
	says_nothing("keelctl backdoor on guarded brk");
	check_doors(&vm, KEEL_HOOK_BACKDOOR_BRK);
	says_nothing("keelctl backdoor on guarded hvc hvc");
	check_doors(&vm, KEEL_HOOK_BACKDOOR_BRK | KEEL_HOOK_BACKDOOR_HVC);
	answers_json(NULL, "keelctl backdoor show guarded --json");
	check_doors_json(id, KEEL_HOOK_BACKDOOR_BRK | KEEL_HOOK_BACKDOOR_HVC);
	answers_json(NULL, "keelctl backdoor on --json guarded dcc");
	check_doors_json(id, DOORS);
	answers_json(NULL, "keelctl backdoor off guarded brk --json");
	check_doors_json(id, KEEL_HOOK_BACKDOOR_DCC | KEEL_HOOK_BACKDOOR_HVC);
	set_name(&vm, "before");
	set_name(&other, "guarded");
	check_doors(&other, keel_parameter("hooks") & DOORS);
	vm_destroy(&other);
	vm_destroy(&vm);
}

/* A wrong door among good ones: none of them is switched. */
static void backdoor_errors(void)
{
	struct vm vm;

	vm_create(&vm);
	set_name(&vm, "guarded");
	says_nothing("keelctl backdoor off guarded");
	refuses(1, "'foo' is no door: dcc, brk or hvc", NULL, "keelctl backdoor on guarded foo");
	refuses(1, "'DCC' is no door", NULL, "keelctl backdoor on guarded hvc DCC brk");
	refuses(1, "'' is no door", "", "keelctl backdoor on guarded hvc %s");
	check_doors(&vm, 0);
	says_nothing("keelctl backdoor on guarded");
	refuses(1, "'all' is no door", NULL, "keelctl backdoor off guarded dcc all");
	check_doors(&vm, KEEL_HOOK_BACKDOOR_DCC | KEEL_HOOK_BACKDOOR_HVC);
	refuses(1, "\"dcc\" is too much", NULL, "keelctl backdoor show guarded dcc");
	refuses(1, "backdoor on does not take --all", NULL, "keelctl backdoor on guarded --all");
	REQUIRE_OK(ioctl(vm.fd, KEEL_OBSERVE, 0));
	refuses(2, "no VM guarded", NULL, "keelctl backdoor on guarded");
	vm_destroy(&vm);
	refuses(2, "no VM guarded", NULL, "keelctl backdoor off guarded");
}

/* An arm64 Image: a jump over the header, then WFI for ever. */
static void write_image(const char *path)
{
	static const u32 image[] = {
		0x14000010, 0, 0, 0, 0x10000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x644d5241, 0,
		0xd503207f, 0x17ffffff,
	};
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	REQUIRE_OK(fd);
	REQUIRE_EQ(write(fd, image, sizeof(image)), sizeof(image));
	close(fd);
}

static pid_t keelrun_start(void)
{
	int null = open("/dev/null", O_RDWR);
	pid_t pid;

	write_image("/tmp/keelctl-image");
	pid = fork();
	if (!pid) {
		dup2(null, 0);
		dup2(null, 1);
		execlp("keelrun", "keelrun", "--kernel", "/tmp/keelctl-image", "--cpus", "2",
		       "--mem", "64M", NULL);
		_exit(127);
	}
	close(null);
	return pid;
}

static void keelrun_guest(void)
{
	pid_t pid = keelrun_start();
	int status;

	/* Until its guest sleeps in its WFI; before, there may be no VM, or not all of it. */
	do {
		status = run(NULL, "keelctl show keelrun --json");
		REQUIRE(!waitpid(pid, NULL, WNOHANG));
		REQUIRE(status == 0 || status == 2);
	} while (status || !json_is(out, "vcpus.0.state", "blocked"));
	REQUIRE(json_valid(out));
	CHECK_EQ(json_u64(out, "tgid"), pid);
	CHECK_EQ(json_u64(out, "memory"), 64 << 20);
	CHECK_EQ(json_u64(out, "nr_vcpus"), 2);
	CHECK(json_is(out, "vcpus.1.state", "off"));
	answers_json(NULL, "keelctl stats keelrun --json");
	CHECK(json_u64(out, "vcpus.0.exits.wfx.second_tier") >= 1);
	REQUIRE_OK(kill(pid, SIGTERM));
	REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	refuses(2, "no VM keelrun", NULL, "keelctl show keelrun");
	unlink("/tmp/keelctl-image");
}

static void names(void)
{
	struct vm a, b;
	char id[16];

	vm_create(&a);
	vm_create(&b);
	set_name(&a, "twin");
	set_name(&b, "twin");
	refuses(2, "several VMs are called twin", NULL, "keelctl show twin");
	set_name(&b, "1");
	answers_json(NULL, "keelctl show twin --json");
	snprintf(id, sizeof(id), "%llu", json_u64(out, "id"));
	answers_json(id, "keelctl show %s --json");
	CHECK(json_is(out, "name", "twin"));
	vm_destroy(&a);
	refuses(2, "no VM", id, "keelctl show %s");
	vm_destroy(&b);
}

static void wrong_use(void)
{
	refuses(1, "no verb: give list, show or another", NULL, "keelctl");
	refuses(1, "\"frob\" is not a verb", NULL, "keelctl frob");
	refuses(1, "\"lis\" is not a verb", NULL, "keelctl lis");
	refuses(1, "not an option", NULL, "keelctl list --frob");
	refuses(1, "needs a value", NULL, "keelctl list --dev");
	refuses(1, "list does not take --all", NULL, "keelctl list --all");
	refuses(1, "show does not take --vcpus", NULL, "keelctl show 1 --vcpus");
	refuses(1, "\"pnmi\" is not a verb", NULL, "keelctl pnmi");
	refuses(1, "\"pnmi\" is not a verb", NULL, "keelctl pnmi frob 1");
	refuses(1, "pnmi sample needs a VM", NULL, "keelctl pnmi sample");
	refuses(1, "--map needs a value", NULL, "keelctl pnmi sample 1 --map");
	refuses(1, "show does not take --map", NULL, "keelctl show 1 --map /dev/null");
	refuses(1, "\"backdoor\" is not a verb", NULL, "keelctl backdoor");
	refuses(1, "\"backdoor\" is not a verb", NULL, "keelctl backdoor open 1");
	refuses(1, "backdoor on needs a VM", NULL, "keelctl backdoor on");
	refuses(1, "backdoor off needs a VM", NULL, "keelctl backdoor off");
	refuses(1, "backdoor show needs a VM", NULL, "keelctl backdoor show");
	refuses(2, "no VM dcc", NULL, "keelctl backdoor on dcc");
	refuses(1, "\"more\" is too much", NULL, "keelctl list more");
	refuses(1, "\"more\" is too much", NULL, "keelctl show 1 more");
	refuses(1, "needs a VM", NULL, "keelctl stats");
	refuses(2, "no VM nobody", NULL, "keelctl show nobody");
	refuses(2, "no VM 0", NULL, "keelctl show 0");
	refuses(2, "no VM 4294967295", NULL, "keelctl stats 4294967295");
	refuses(2, "no VM 99999999999999999999", NULL, "keelctl stats 99999999999999999999");
	refuses(2, "no VM ", "", "keelctl show %s");
	refuses(4, "cannot open /nowhere", NULL, "keelctl list --dev /nowhere");
	refuses(4, "/dev/null is not keel's", NULL, "keelctl list --dev /dev/null");
	answers(NULL, "keelctl list --dev /dev/keel");
}

static void permission(void)
{
	char by_id[64];
	struct stat st;
	struct vm vm;

	vm_create(&vm);
	set_name(&vm, "root's");
	REQUIRE_OK(stat("/dev/keel", &st));
	REQUIRE_OK(chmod("/dev/keel", 0600));
	check_refusal(run_as(1000, NULL, "keelctl list"), 3, "cannot open /dev/keel", "list");
	REQUIRE_OK(chmod("/dev/keel", 0666));
	CHECK_EQ(run_as(1000, NULL, "keelctl list"), 0);
	CHECK(!strstr(out, "root's"));
	check_refusal(run_as(1000, "root's", "keelctl show %s"), 2, "no VM root's", "show");
	answers_json("root's", "keelctl show %s --json");
	snprintf(by_id, sizeof(by_id), "keelctl stats %llu", json_u64(out, "id"));
	check_refusal(run_as(1000, NULL, by_id), 3, "may not be observed", "stats");
	REQUIRE_OK(chmod("/dev/keel", st.st_mode & 07777));
	REQUIRE_OK(ioctl(vm.fd, KEEL_OBSERVE, 0));
	refuses(2, "no VM root's", "root's", "keelctl show %s");
	vm_destroy(&vm);
}

static void help(void)
{
	answers(NULL, "keelctl --help");
	CHECK(strstr(out, "Usage: keelctl VERB [VM [WORD...]] [OPTION]..."));
	CHECK(has_line(out, "list the VMs that you may observe"));
	CHECK(strstr(out, "Exit status: 0 done;"));
	answers(NULL, "keelctl list --help");
	CHECK(strstr(out, "Usage: keelctl list [OPTION]..."));
	answers(NULL, "keelctl --help show");
	CHECK(strstr(out, "Usage: keelctl show VM [OPTION]..."));
	answers(NULL, "keelctl stats --help");
	CHECK(strstr(out, "Usage: keelctl stats VM [OPTION]..."));
	CHECK(has_line(out, "--all rows of zeros too"));
	answers(NULL, "keelctl pnmi sample --help");
	CHECK(strstr(out, "Usage: keelctl pnmi sample VM [OPTION]..."));
	CHECK(strstr(out, "nokaslr"));
	answers(NULL, "keelctl backdoor on --help");
	CHECK(strstr(out, "Usage: keelctl backdoor on VM [DOOR...] [OPTION]..."));
	CHECK(strstr(out, "Without DOOR these are dcc and hvc"));
	answers(NULL, "keelctl backdoor off --help");
	CHECK(strstr(out, "Usage: keelctl backdoor off VM [DOOR...] [OPTION]..."));
	answers(NULL, "keelctl backdoor show --help");
	CHECK(strstr(out, "Usage: keelctl backdoor show VM [OPTION]..."));
	check_refusal(run(NULL, "keelctl frob --help"), 1, "not a verb", "frob --help");
}

/* An answer that could not be printed is an error. */
static void full_device(void)
{
	CHECK_EQ(run("keelctl --help >/dev/full", "/bin/sh -c %s"), 1);
	check_refusal(1, 1, "cannot print the answer", "--help >/dev/full");
}

static const struct ktap_case cases[] = {
	{ "list", list },
	{ "list_rate", list_rate },
	{ "show", show },
	{ "stats", stats },
	{ "sums", sums },
	{ "pnmi_sample_decode", pnmi_sample_decode },
	{ "pnmi_sample_running", pnmi_sample_running },
	{ "pnmi_sample_map_errors", pnmi_sample_map_errors },
	{ "pnmi_sample_too_soon", pnmi_sample_too_soon },
	{ "backdoor", backdoor },
	{ "backdoor_errors", backdoor_errors },
	{ "keelrun_guest", keelrun_guest },
	{ "names", names },
	{ "wrong_use", wrong_use },
	{ "permission", permission },
	{ "help", help },
	{ "full_device", full_device },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
