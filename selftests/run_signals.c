// SPDX-License-Identifier: GPL-2.0
/* Leaving KVM_RUN: immediate_exit, signals, the signal mask, storms of signals. */
#include <errno.h>
#include <signal.h>
#include <sched.h>
#include <string.h>
#include <sys/rseq.h>
#include <unistd.h>

#include "guests/run_signals.h"
#include "lib/vm.h"

GUEST_DECLARE(run_signals);

static u32 handled;

static void count_signal(int sig __always_unused)
{
	__atomic_add_fetch(&handled, 1, __ATOMIC_RELAXED);
}

static void handle(int sig)
{
	struct sigaction sa = { .sa_handler = count_signal };

	REQUIRE_OK(sigaction(sig, &sa, NULL));
}

static void start(struct vm *vm, u64 part)
{
	vm_create_guest(vm, guest_run_signals, guest_run_signals_end, 1);
	vcpu_set(&vm->vcpus[0], REG_X(0), part);
}

static void immediate_exit(void)
{
	struct vcpu *vcpu;
	struct vm vm;
	int i;

	start(&vm, PART_SPIN);
	vcpu = &vm.vcpus[0];
	vcpu->run->immediate_exit = 1;
	for (i = 0; i < 10; i++) {
		vcpu->run->exit_reason = 1000;
		CHECK_EQ(vcpu_run(vcpu), -EINTR);
		/* The reason of the exit before stays, for who completes that exit by this. */
		CHECK_EQ(vcpu->run->exit_reason, 1000);
		/* Not one instruction has run. */
		CHECK_EQ(vcpu_get(vcpu, REG_PC), RAM_IPA);
	}
	vcpu->run->immediate_exit = 0;
	CHECK_EQ(vcpu_run_sync(vcpu), 1);
}

/* A pending MMIO read is finished even when KVM_RUN then leaves at once. */
static void immediate_exit_completes_mmio(void)
{
	u64 value = 0x1234567890abcdef, pc;
	struct vcpu *vcpu;
	struct vm vm;

	start(&vm, PART_READS);
	vcpu = &vm.vcpus[0];
	REQUIRE_EQ(vcpu_run(vcpu), 0);
	REQUIRE_EQ(vcpu->run->exit_reason, KVM_EXIT_MMIO);
	REQUIRE_EQ(vcpu->run->mmio.is_write, 0);
	pc = vcpu_get(vcpu, REG_PC);
	memcpy(vcpu->run->mmio.data, &value, 8);
	vcpu_complete(vcpu);
	CHECK_EQ(vcpu_get(vcpu, REG_X(READS_REGISTER)), value);
	/* And finished once: the instruction is over only when the guest goes on, or is now. */
	vcpu_complete(vcpu);
	CHECK(vcpu_get(vcpu, REG_PC) - pc <= 4);
	/* The guest counts on from what it read. */
	REQUIRE_EQ(vcpu_run(vcpu), 0);
	memcpy(&pc, vcpu->run->mmio.data, 8);
	CHECK_EQ(vcpu->run->mmio.is_write, 1);
	CHECK_EQ(pc, value + 1);
}

static void *signal_when_running(void *arg)
{
	struct vm *vm = arg;
	sigset_t all;

	/* The signal is for the thread that runs the vCPU. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	/* The guest counts: it is inside KVM_RUN. */
	while (READ_ONCE(*(u64 *)vm_ptr(vm, SHARED_IPA)) < 1000)
		sched_yield();
	kill(getpid(), SIGUSR2);
	return NULL;
}

/* A signal takes the vCPU out of a guest that never exits by itself. */
static void signal_ends_run(void)
{
	struct vcpu *vcpu;
	pthread_t helper;
	struct vm vm;

	handle(SIGUSR2);
	start(&vm, PART_SPIN);
	vcpu = &vm.vcpus[0];
	CHECK_EQ(vcpu_run_sync(vcpu), 1);
	REQUIRE(!pthread_create(&helper, NULL, signal_when_running, &vm));
	do {
		CHECK_EQ(vcpu_run(vcpu), -EINTR);
		CHECK_EQ(vcpu->run->exit_reason, KVM_EXIT_INTR);
	} while (!READ_ONCE(handled));
	pthread_join(helper, NULL);
	CHECK_EQ(handled, 1);
}

static int set_mask(struct vcpu *vcpu, const sigset_t *set, u32 len)
{
	struct {
		struct kvm_signal_mask mask;
		u8 set[8];
	} arg = { .mask.len = len };

	if (set)
		memcpy(arg.mask.sigset, set, 8);
	return ioctl(vcpu->fd, KVM_SET_SIGNAL_MASK, set ? &arg : NULL);
}

/* Blocked by the thread, open during KVM_RUN: ends it, and stays pending for the thread. */
static void signal_mask(void)
{
	struct vcpu *vcpu;
	sigset_t usr2, none, pending;
	struct vm vm;

	handle(SIGUSR2);
	start(&vm, PART_SPIN);
	vcpu = &vm.vcpus[0];
	CHECK_EQ(vcpu_run_sync(vcpu), 1);
	sigemptyset(&none);
	sigemptyset(&usr2);
	sigaddset(&usr2, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &usr2, NULL);
	CHECK_ERR(set_mask(vcpu, &none, 4), EINVAL);
	REQUIRE_OK(set_mask(vcpu, &none, 8));
	raise(SIGUSR2);
	CHECK_EQ(vcpu_run(vcpu), -EINTR);
	CHECK_EQ(vcpu->run->exit_reason, KVM_EXIT_INTR);
	CHECK_EQ(READ_ONCE(handled), 0);
	sigpending(&pending);
	CHECK(sigismember(&pending, SIGUSR2));
	CHECK_EQ(sigtimedwait(&usr2, NULL, &(struct timespec){ 0 }), SIGUSR2);

	/* The mask gone, the thread's own holds: the signal does not end the next exit. */
	REQUIRE_OK(set_mask(vcpu, NULL, 0));
	raise(SIGUSR2);
	vm_destroy(&vm);
	start(&vm, PART_COUNT);
	REQUIRE_EQ(vcpu_run(&vm.vcpus[0]), 0);
	CHECK_EQ(vm.vcpus[0].run->exit_reason, KVM_EXIT_MMIO);
}

struct storm {
	pthread_t target;
	bool stop;
	u64 sent, exits;
};

static void *storm_thread(void *arg)
{
	struct storm *s = arg;
	sigset_t all;
	u64 exits;
	u32 i;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	while (!READ_ONCE(s->stop)) {
		exits = READ_ONCE(s->exits);
		pthread_kill(s->target, SIGUSR2);
		s->sent++;
		/*
		 * The guest gets one exit between two signals, or a helper with a CPU of its own
		 * would let the vCPU see nothing but signals.
		 */
		while (READ_ONCE(s->exits) == exits && !READ_ONCE(s->stop))
			sched_yield();
		/* Each signal meets the vCPU at another place of its way round. */
		for (i = s->sent * 37 % 64 * 64; i; i--)
			asm volatile("" ::: "memory");
	}
	return NULL;
}

/* Under a storm the guest's exits come all, once each, in order. */
static void storm(void)
{
	struct storm s = { .target = pthread_self() };
	struct vcpu *vcpu;
	pthread_t helper;
	struct vm vm;
	u64 seen, next = 0, interrupted = 0;

	handle(SIGUSR2);
	start(&vm, PART_COUNT);
	vcpu = &vm.vcpus[0];
	REQUIRE(!pthread_create(&helper, NULL, storm_thread, &s));
	while (next < STORM_EXITS || interrupted < STORM_SIGNALS) {
		WRITE_ONCE(s.exits, next);
		if (vcpu_run(vcpu)) {
			REQUIRE_EQ(errno, EINTR);
			REQUIRE_EQ(vcpu->run->exit_reason, KVM_EXIT_INTR);
			interrupted++;
			continue;
		}
		REQUIRE_EQ(vcpu->run->exit_reason, KVM_EXIT_MMIO);
		if (vcpu->run->mmio.is_write) {
			memcpy(&seen, vcpu->run->mmio.data, 8);
			REQUIRE_EQ(seen, next);
			next++;
		} else {
			/* An answer lost or given twice breaks the guest's count. */
			seen = next;
			memcpy(vcpu->run->mmio.data, &seen, 8);
		}
	}
	WRITE_ONCE(s.stop, true);
	pthread_join(helper, NULL);
	ktap_note("%llu exits, %llu runs interrupted, %llu signals", next, interrupted, s.sent);
}

/* immediate_exit set by another thread, then a signal: the run under way and the next end. */
static void *kick_thread(void *arg)
{
	struct vcpu *vcpu = arg;
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	WRITE_ONCE(vcpu->run->immediate_exit, 1);
	kill(getpid(), SIGUSR2);
	return NULL;
}

static void kicks(void)
{
	struct vcpu *vcpu;
	pthread_t helper;
	struct vm vm;
	int i;

	handle(SIGUSR2);
	start(&vm, PART_SPIN);
	vcpu = &vm.vcpus[0];
	CHECK_EQ(vcpu_run_sync(vcpu), 1);
	for (i = 0; i < 200; i++) {
		vcpu->run->immediate_exit = 0;
		REQUIRE(!pthread_create(&helper, NULL, kick_thread, vcpu));
		REQUIRE_EQ(vcpu_run(vcpu), -EINTR);
		pthread_join(helper, NULL);
		CHECK_EQ(vcpu_run(vcpu), -EINTR);
	}
}

/* Moves the vCPU's thread, if there is another CPU, and waits for its rseq area; ends KVM_RUN. */
struct mover {
	pid_t target;
	u32 cpus;
	const struct rseq *rseq;
	struct kvm_run *run;
};

static void move_to(const struct mover *m, u32 cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	REQUIRE_OK(sched_setaffinity(m->target, sizeof(set), &set));
	/* Ends by the test's limit if it never comes. */
	while (READ_ONCE(m->rseq->cpu_id) != cpu)
		usleep(100);
}

static void *mover_thread(void *arg)
{
	const struct mover *m = arg;
	sigset_t all;
	int i;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	for (i = 1; i <= 100; i++)
		move_to(m, i % m->cpus);
	/* Whether it has begun by then or not. */
	WRITE_ONCE(m->run->immediate_exit, 1);
	kill(getpid(), SIGUSR2);
	return NULL;
}

/* Restartable sequences: a thread in KVM_RUN that moves has its new CPU written to memory. */
static void rseq_follows(void)
{
	struct mover m = {
		.target = gettid(),
		.cpus = sysconf(_SC_NPROCESSORS_ONLN),
		.rseq = __builtin_thread_pointer() + __rseq_offset,
	};
	struct vcpu *vcpu;
	pthread_t helper;
	struct vm vm;

	REQUIRE(__rseq_size);
	handle(SIGUSR2);
	start(&vm, PART_SPIN);
	vcpu = &vm.vcpus[0];
	CHECK_EQ(vcpu_run_sync(vcpu), 1);
	m.run = vcpu->run;
	REQUIRE(!pthread_create(&helper, NULL, mover_thread, &m));
	CHECK_EQ(vcpu_run(vcpu), -EINTR);
	pthread_join(helper, NULL);
}

static const struct ktap_case cases[] = {
	{ "immediate_exit", immediate_exit },
	{ "immediate_exit_completes_mmio", immediate_exit_completes_mmio },
	{ "signal_ends_run", signal_ends_run },
	{ "signal_mask", signal_mask },
	{ "storm", storm },
	{ "kicks", kicks },
	{ "rseq_follows", rseq_follows },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
