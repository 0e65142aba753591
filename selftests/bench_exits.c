// SPDX-License-Identifier: GPL-2.0
/*
 * What operations of a guest cost (scripts/bench): a VM an operation. What does not put all CPUs to
 * sleep is timed by the guest with its counter; under the emulator's instruction count one tick of
 * a 1 GHz counter is one instruction. The rest is what the host's PMU counts over a batch, less
 * what a batch of nothing counts. BENCH_EL2=1: also what keel did at EL2, which debug builds count.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/keel.h>

#include "guests/bench_exits.h"
#include "lib/bench.h"
#include "lib/vm.h"

GUEST_DECLARE(bench_exits);

#define PAGE	4096ULL
#define BLOCK	(2ULL << 20)

enum el2_count { EL2_ENTRIES, EL2_WRITES, EL2_ISBS, EL2_COUNTS };

static const char * const el2_names[EL2_COUNTS] = {
	"el2_entries", "el2_sysreg_writes", "el2_isbs",
};

static void *wait_for_kicks(void *arg);
static void *signal_on_request(void *arg);
static void *serve_messages(void *arg);

static const struct op {
	const char *name;
	u64 ipa;		/* memory to fault in, taken away before each batch */
	u64 size;
	void *(*helper)(void *arg);	/* a thread at the other end */
	int vcpus;
	bool sleeps;		/* counted by the PMU */
	u32 hooks;		/* keel's alone: that it needs */
	bool power;		/* the same: with idle states, performance registers, a policy */
} ops[BENCH_NR] = {
	[BENCH_NOTHING]		= { "nothing", .sleeps = true },
	[BENCH_HYPERCALL]	= { "hypercall" },
	[BENCH_HYPERCALL_HOST]	= { "hypercall_host" },
	[BENCH_SYSREG]		= { "sysreg" },
	[BENCH_DOOR_DCC]	= { "door_dcc", .hooks = KEEL_HOOK_BACKDOOR_DCC },
	[BENCH_DOOR_BRK]	= { "door_brk", .hooks = KEEL_HOOK_BACKDOOR_BRK },
	[BENCH_DOOR_HVC]	= { "door_hvc", .hooks = KEEL_HOOK_BACKDOOR_HVC },
	[BENCH_MESSAGE]		= { "message_60k", .helper = serve_messages,
				    .hooks = KEEL_HOOK_BACKDOOR_DCC },
	[BENCH_DEBUGGER]	= { "debugger" },
	[BENCH_DEBUGGER_DCC]	= { "debugger_dcc", .hooks = KEEL_HOOK_BACKDOOR_DCC },
	[BENCH_DEBUGGER_BOTH]	= { "debugger_both", .hooks = KEEL_HOOK_BACKDOOR_DCC |
							      KEEL_HOOK_BACKDOOR_BRK },
	[BENCH_VGIC_READ]	= { "vgic_read" },
	[BENCH_VGIC_WRITE]	= { "vgic_write" },
	[BENCH_MMIO_USER]	= { "mmio_user" },
	[BENCH_FAULT_4K]	= { "fault_4k", BENCH_4K_IPA, BENCH_4K_COUNT * PAGE },
	[BENCH_FAULT_2M]	= { "fault_2m", BENCH_2M_IPA, BENCH_2M_COUNT * BLOCK },
	[BENCH_EOI]		= { "eoi" },
	[BENCH_TIMER]		= { "timer" },
	[BENCH_WFI_WAKE]	= { "wfi_wake", .sleeps = true },
	[BENCH_SUSPEND]		= { "suspend", .sleeps = true },
	[BENCH_SUSPEND_SHALLOW]	= { "suspend_shallow", .sleeps = true, .power = true },
	[BENCH_SUSPEND_DEEP]	= { "suspend_deep", .sleeps = true, .power = true },
	[BENCH_LATE_WFI]	= { "late_wfi" },
	[BENCH_LATE_SUSPEND]	= { "late_suspend" },
	[BENCH_LATE_SHALLOW]	= { "late_shallow", .power = true },
	[BENCH_LATE_DEEP]	= { "late_deep", .power = true },
	[BENCH_PERF]		= { "perf_store", .power = true },
	[BENCH_IOEVENTFD]	= { "ioeventfd", .helper = wait_for_kicks },
	[BENCH_IOEVENTFD_WAKE]	= { "ioeventfd_wake", .helper = wait_for_kicks },
	[BENCH_IRQFD]		= { "irqfd", .helper = signal_on_request },
	[BENCH_IPI]		= { "ipi", .vcpus = 2 },
	[BENCH_IPI_BLOCKED]	= { "ipi_blocked", .vcpus = 2 },
};

/* The VM that runs: one at a time. */
static struct bench {
	const struct op *op;
	void *mem;
	int eventfd;
	int agent;
	bool stop;
	struct bench_shared *shared;
	int stats;
	double work;
	u64 el2[EL2_COUNTS];
	int batches;			/* one before those that count */
	double value[BENCH_MAX_BATCHES + 1];
	double el2_value[EL2_COUNTS][BENCH_MAX_BATCHES + 1];
} b;

static double frame_work, frame_el2[EL2_COUNTS];

static bool el2_wanted(void)
{
	return getenv("BENCH_EL2") && kvm_is_keel();
}

static void el2_read(u64 *count)
{
	int i;

	/* The module counts, so any vCPU tells. */
	for (i = 0; i < EL2_COUNTS && el2_wanted(); i++)
		count[i] = kvm_stat(b.stats, el2_names[i]);
}

/* All of it present, pages or blocks: what is measured is the hypervisor, not the host's fault. */
static void mem_create(const struct op *op)
{
	char *p;

	b.mem = NULL;
	if (!op->size)
		return;
	p = mmap(NULL, op->size + BLOCK, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(p != MAP_FAILED);
	b.mem = (void *)(((u64)p + BLOCK - 1) & ~(BLOCK - 1));
	REQUIRE_OK(madvise(b.mem, op->size,
			   op == &ops[BENCH_FAULT_4K] ? MADV_NOHUGEPAGE : MADV_HUGEPAGE));
	memset(b.mem, 1, op->size);
}

static void mem_renew(struct vm *vm)
{
	if (!b.mem)
		return;
	vm_memslot(vm, 1, 0, b.op->ipa, 0, b.mem);
	REQUIRE_OK(vm_memslot(vm, 1, 0, b.op->ipa, b.op->size, b.mem));
}

static void batch_begin(struct vm *vm)
{
	mem_renew(vm);
	el2_read(b.el2);
	b.work = bench_work();
}

static void batch_end(u64 ticks, u64 rounds)
{
	double work = bench_work() - b.work - frame_work;
	u64 now[EL2_COUNTS];
	int i;

	REQUIRE(b.batches <= bench_batches());
	el2_read(now);
	b.value[b.batches] = (b.op->sleeps ? work : ticks * bench_ns_per_tick()) / rounds;
	for (i = 0; i < EL2_COUNTS; i++)
		b.el2_value[i][b.batches] = (now[i] - b.el2[i] - frame_el2[i]) / rounds;
	b.batches++;
}

static void take(struct vcpu *vcpu, u64 value)
{
	if (BENCH_ROUNDS(value))
		batch_end(BENCH_TICKS(value), BENCH_ROUNDS(value));
	else
		batch_begin(vcpu->vm);
}

static bool answer_mmio(struct vcpu *vcpu)
{
	return vcpu->run->exit_reason == KVM_EXIT_MMIO;
}

/* A device's thread: sleeps until the guest kicks. */
static void *wait_for_kicks(void *arg)
{
	struct bench *bench = arg;
	u64 n;

	while (!READ_ONCE(bench->stop)) {
		REQUIRE_EQ(read(bench->eventfd, &n, sizeof(n)), sizeof(n));
		WRITE_ONCE(bench->shared->woken, bench->shared->woken + 1);
	}
	return NULL;
}

/* A device's thread: signals when the guest asks. */
static void *signal_on_request(void *arg)
{
	struct bench *bench = arg;
	u64 n = 1, seen = 0;

	while (!READ_ONCE(bench->stop)) {
		if (READ_ONCE(bench->shared->request) == seen) {
			asm volatile("yield" : : : "memory");
			continue;
		}
		seen = READ_ONCE(bench->shared->request);
		REQUIRE_EQ(write(bench->eventfd, &n, sizeof(n)), sizeof(n));
	}
	return NULL;
}

/* The backdoor's agent: sends each message back, until the guest closes the channel. */
static void *serve_messages(void *arg)
{
	static struct {
		struct keel_backdoor_message h;
		char data[BENCH_MESSAGE_SIZE];
	} d;
	struct bench *bench = arg;

	do {
		REQUIRE(read(bench->agent, &d, sizeof(d)) >= (ssize_t)sizeof(d.h));
		if (d.h.kind != KEEL_BACKDOOR_MESSAGE)
			continue;
		REQUIRE_EQ(d.h.length, sizeof(d.data));
		REQUIRE_EQ(write(bench->agent, &d, sizeof(d)), sizeof(d));
	} while (d.h.kind != KEEL_BACKDOOR_CLOSED);
	return NULL;
}

static void pin(pthread_t thread, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	REQUIRE(!pthread_setaffinity_np(thread, sizeof(set), &set));
}

/* The event that the operation is about. */
static void event_create(struct vm *vm)
{
	bool irq = b.op == &ops[BENCH_IRQFD];
	struct kvm_ioeventfd kick = { .addr = BENCH_KICK_IPA, .len = 4 };
	struct kvm_irqfd irqfd = { .gsi = BENCH_SPI - 32 };

	b.eventfd = eventfd(0, EFD_CLOEXEC);
	REQUIRE_OK(b.eventfd);
	kick.fd = b.eventfd;
	irqfd.fd = b.eventfd;
	REQUIRE_OK(irq ? ioctl(vm->fd, KVM_IRQFD, &irqfd) : ioctl(vm->fd, KVM_IOEVENTFD, &kick));
}

static void agent_create(struct vm *vm)
{
	struct keel_backdoor_open args = { .size = sizeof(args) };

	b.agent = ioctl(vm->fd, KEEL_BACKDOOR_OPEN, &args);
	REQUIRE_OK(b.agent);
}

/* The thread at the other end, on CPU 0. */
static void helper_start(struct vm *vm, pthread_t *thread)
{
	if (b.op->helper == serve_messages)
		agent_create(vm);
	else
		event_create(vm);
	REQUIRE(!pthread_create(thread, NULL, b.op->helper, &b));
	pin(*thread, 0);
}

/* The agent ends with its guest. */
static void helper_stop(pthread_t thread)
{
	u64 n = 1;

	WRITE_ONCE(b.stop, true);
	if (b.eventfd)
		REQUIRE_EQ(write(b.eventfd, &n, sizeof(n)), sizeof(n));
	pthread_join(thread, NULL);
	close(b.eventfd ? : b.agent);
}

static void vcpus_pin(struct vm *vm)
{
	int i;

	for (i = 0; i < vm->nr_vcpus; i++)
		pin(vm->vcpus[i].thread, i ? 0 : bench_last_cpu());
}

static void hooks_set(struct vm *vm, u32 hooks)
{
	struct keel_hooks args = { .size = sizeof(args), .on = hooks };

	if (hooks)
		REQUIRE_OK(ioctl(vm->fd, KEEL_HOOKS, &args));
}

static void power_set(struct vm *vm)
{
	struct keel_power_page page = {
		.size = sizeof(page), .ipa = BENCH_PERF_IPA, .layout = KEEL_POWER_PAGE_CPUFREQ,
		.nr_vcpus = 1, .nr_levels = 1, .level = { 2000000 },
	};
	struct keel_power_states states = {
		.size = sizeof(states), .nr = 2,
		.state = {
			{ .id = BENCH_SHALLOW, .latency = 50, .residency = 100, .name = "shallow" },
			{ .id = BENCH_DEEP, .flags = KEEL_POWER_STATE_DEEP, .latency = 500,
			  .residency = 2000, .name = "deep" },
		},
	};
	struct keel_power power = {
		.size = sizeof(power), .set = KEEL_POWER_SET_POLICY, .policy = KEEL_POWER_HINT,
	};

	REQUIRE_OK(ioctl(vm->fd, KEEL_POWER_PAGE, &page));
	REQUIRE_OK(ioctl(vm->fd, KEEL_POWER_STATES, &states));
	REQUIRE_OK(ioctl(vm->fd, KEEL_POWER, &power));
}

static void run_op(enum bench_op op)
{
	pthread_t thread;
	struct vm vm;

	memset(&b, 0, sizeof(b));
	b.op = &ops[op];
	vm_create_guest(&vm, guest_bench_exits, guest_bench_exits_end, b.op->vcpus ? : 1);
	vcpu_start_at(&vm.vcpus[0], RAM_IPA, BENCH_ARG(op, bench_batches()));
	vm_gic_create(&vm, 64);
	hooks_set(&vm, b.op->hooks);
	if (b.op->power)
		power_set(&vm);
	b.shared = vm_ptr(&vm, SHARED_IPA);
	mem_create(b.op);
	b.stats = el2_wanted() ? kvm_stats_open(vm.vcpus[0].fd) : -1;
	vm.exit = answer_mmio;
	vm.sync = take;
	if (b.op->helper)
		helper_start(&vm, &thread);
	vm_start(&vm);
	vcpus_pin(&vm);
	CHECK_EQ(vm_wait(&vm), 0);
	if (b.op->helper)
		helper_stop(thread);
	vm_destroy(&vm);
	REQUIRE_EQ(b.batches, bench_batches() + 1);
}

static void print_op(const struct op *op)
{
	double el2[EL2_COUNTS];
	int i;

	bench_print(op->name, b.value + 1, b.batches - 1);
	if (!el2_wanted())
		return;
	for (i = 0; i < EL2_COUNTS; i++)
		el2[i] = bench_median(b.el2_value[i] + 1, b.batches - 1);
	ktap_note("el2 %s %.1f %.1f %.1f", op->name, el2[EL2_ENTRIES], el2[EL2_WRITES],
		  el2[EL2_ISBS]);
	/*
	 * Rounded: the frame that is subtracted has the host's interrupts in it. The debugger's
	 * registers may be the guest's own, without a trap (FEAT_FGT).
	 */
	if (op != &ops[BENCH_DEBUGGER])
		CHECK(el2[EL2_ENTRIES] >= 0.5);
	/* To the kernel and back: HCR_EL2, VBAR_EL2 and CPTR_EL2 change both ways. */
	if (op == &ops[BENCH_HYPERCALL_HOST]) {
		CHECK(el2[EL2_WRITES] >= 6);
		CHECK(el2[EL2_ISBS] >= 2);
	}
}

static void bench_ops(enum bench_op first, enum bench_op last)
{
	int op, i;

	bench_begin(bench_last_cpu());
	frame_work = 0;
	memset(frame_el2, 0, sizeof(frame_el2));
	run_op(BENCH_NOTHING);
	frame_work = bench_median(b.value + 1, b.batches - 1);
	for (i = 0; i < EL2_COUNTS; i++)
		frame_el2[i] = bench_median(b.el2_value[i] + 1, b.batches - 1);
	for (op = first; op <= (int)last; op++) {
		if ((ops[op].hooks || ops[op].power) && !kvm_is_keel())
			continue;
		run_op(op);
		print_op(&ops[op]);
	}
}

/* One CPU of the host is enough for these, and best: nothing else runs. */
static void alone(void)
{
	bench_ops(BENCH_HYPERCALL, BENCH_PERF);
}

static void two(void)
{
	bench_ops(BENCH_IOEVENTFD, BENCH_IPI_BLOCKED);
}

static const struct ktap_case cases[] = {
	{ "alone", alone },
	{ "two", two },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
