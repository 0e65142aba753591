// SPDX-License-Identifier: GPL-2.0
/* Coalesced MMIO: which stores wait in the ring, in which order, and when they do not. */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "guests/abi_coalesced.h"
#include "lib/poke.h"
#include "lib/vm.h"

GUEST_DECLARE(abi_coalesced);

#define ZONES_MAX	1000	/* what a VM may have */

static struct kvm_coalesced_mmio_ring *ring_of(struct vcpu *vcpu)
{
	int offset = ioctl(vcpu->vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_COALESCED_MMIO);
	long page = sysconf(_SC_PAGESIZE);

	REQUIRE(offset > 0);
	REQUIRE(ioctl(kvm_open(), KVM_GET_VCPU_MMAP_SIZE, 0) >= (offset + 1) * page);
	return (void *)vcpu->run + offset * page;
}

static u32 ring_size(void)
{
	return (sysconf(_SC_PAGESIZE) - sizeof(struct kvm_coalesced_mmio_ring)) /
	       sizeof(struct kvm_coalesced_mmio);
}

static int zone(struct vm *vm, bool add, u64 addr, u32 size)
{
	struct kvm_coalesced_mmio_zone z = { .addr = addr, .size = size };

	return ioctl(vm->fd, add ? KVM_REGISTER_COALESCED_MMIO : KVM_UNREGISTER_COALESCED_MMIO, &z);
}

/* The ring's only entry, which is taken out. */
static void expect_entry(struct kvm_coalesced_mmio_ring *ring, u64 addr, u32 len, u64 value)
{
	struct kvm_coalesced_mmio *e = &ring->coalesced_mmio[ring->first];
	u64 seen = 0;

	CHECK_EQ(ring->last, (ring->first + 1) % ring_size());
	memcpy(&seen, e->data, len);
	CHECK_EQ(e->phys_addr, addr);
	CHECK_EQ(e->len, len);
	CHECK_EQ(e->pio, 0);
	CHECK_EQ(seen, len == 8 ? value : value & (BIT(len * 8) - 1));
	ring->first = ring->last;
}

static void stores(void)
{
	struct kvm_coalesced_mmio_ring *ring;
	u64 value = 0x8877665544332211;
	struct vm vm;
	u32 len;

	poke_create(&vm);
	ring = ring_of(&vm.vcpus[0]);
	CHECK_EQ(ring->first, 0);
	CHECK_EQ(ring->last, 0);
	REQUIRE_OK(zone(&vm, true, MMIO_IPA, 0x1c));
	for (len = 1; len <= 8; len *= 2) {
		poke_write(&vm, MMIO_IPA + len, len, value);
		expect_entry(ring, MMIO_IPA + len, len, value);
	}
	/* The last four bytes of the zone; more of them reach beyond it. */
	poke_write(&vm, MMIO_IPA + 0x18, 4, value);
	expect_entry(ring, MMIO_IPA + 0x18, 4, value);
	CHECK(poke_exits(&vm, true, MMIO_IPA + 0x18, 8, value));
	CHECK(poke_exits(&vm, true, MMIO_IPA + 0x1c, 4, value));
	CHECK(poke_exits(&vm, true, MMIO_IPA - 4, 4, value));
	CHECK(poke_exits(&vm, false, MMIO_IPA, 4, value));
	CHECK_EQ(ring->first, ring->last);
	vm_destroy(&vm);
}

/* One entry stays free; from each place in the ring. */
static void full(void)
{
	struct kvm_coalesced_mmio_ring *ring;
	u32 n = ring_size(), i;
	struct vm vm;

	poke_create(&vm);
	ring = ring_of(&vm.vcpus[0]);
	REQUIRE_OK(zone(&vm, true, MMIO_IPA, 8));
	ring->first = n - 3;
	ring->last = n - 3;
	for (i = 0; i < n - 1; i++)
		poke_write(&vm, MMIO_IPA, 8, i);
	CHECK_EQ(ring->last, n - 4);
	CHECK(poke_exits(&vm, true, MMIO_IPA, 8, 1000));
	CHECK_EQ(ring->last, n - 4);
	for (i = 0; i < n - 1; i++)
		CHECK_EQ(ring->coalesced_mmio[(n - 3 + i) % n].data[0], i & 0xff);
	ring->first = n - 2;
	poke_write(&vm, MMIO_IPA, 8, 1001);
	CHECK(poke_exits(&vm, true, MMIO_IPA, 8, 1002));
	vm_destroy(&vm);
}

/* Numbers that no VMM writes: the store exits, or is lost, and nothing else happens. */
static void bad_numbers(void)
{
	struct kvm_coalesced_mmio_ring *ring;
	u32 n = ring_size();
	struct vm vm;

	poke_create(&vm);
	ring = ring_of(&vm.vcpus[0]);
	REQUIRE_OK(zone(&vm, true, MMIO_IPA, 8));
	ring->last = n;
	CHECK(poke_exits(&vm, true, MMIO_IPA, 8, 1));
	ring->last = ~0U;
	CHECK(poke_exits(&vm, true, MMIO_IPA, 8, 2));
	CHECK_EQ(ring->last, ~0U);
	ring->last = n - 1;
	ring->first = ~0U;
	poke_write(&vm, MMIO_IPA, 8, 3);
	CHECK_EQ(ring->last, 0);
	vm_destroy(&vm);
}

static void zones(void)
{
	struct kvm_coalesced_mmio_ring *ring;
	struct vm vm;

	poke_create(&vm);
	ring = ring_of(&vm.vcpus[0]);
	REQUIRE_OK(zone(&vm, true, MMIO_IPA, 0x100));
	REQUIRE_OK(zone(&vm, true, MMIO_IPA + 0x200, 0x100));
	poke_write(&vm, MMIO_IPA + 0xf8, 8, 1);
	expect_entry(ring, MMIO_IPA + 0xf8, 8, 1);
	/* Only zones that hold all of the range go, and they go as a whole. */
	CHECK_OK(zone(&vm, false, MMIO_IPA, 0x300));
	poke_write(&vm, MMIO_IPA, 8, 2);
	expect_entry(ring, MMIO_IPA, 8, 2);
	CHECK_OK(zone(&vm, false, MMIO_IPA + 0x80, 8));
	CHECK(poke_exits(&vm, true, MMIO_IPA, 8, 3));
	poke_write(&vm, MMIO_IPA + 0x200, 8, 4);
	expect_entry(ring, MMIO_IPA + 0x200, 8, 4);
	CHECK_OK(zone(&vm, false, MMIO_IPA + 0x200, 0x100));
	CHECK(poke_exits(&vm, true, MMIO_IPA + 0x200, 8, 5));
	/* None left: not an error. */
	CHECK_OK(zone(&vm, false, MMIO_IPA, 8));
	vm_destroy(&vm);
}

static void errors(void)
{
	struct kvm_coalesced_mmio_zone pio = { .addr = MMIO_IPA, .size = 8, .pio = 2 };
	struct vm vm;

	vm_create(&vm);
	CHECK_ERR(ioctl(vm.fd, KVM_REGISTER_COALESCED_MMIO, &pio), EINVAL);
	CHECK_ERR(ioctl(vm.fd, KVM_UNREGISTER_COALESCED_MMIO, &pio), EINVAL);
	CHECK_ERR(ioctl(vm.fd, KVM_REGISTER_COALESCED_MMIO, 8), EFAULT);
	CHECK_ERR(ioctl(vm.fd, KVM_UNREGISTER_COALESCED_MMIO, 8), EFAULT);
	vm_destroy(&vm);
}

static void many(void)
{
	struct vm vm;
	u32 i;

	/* It has the same limit, but waits for readers each time. */
	if (!kvm_is_keel())
		return;
	vm_create(&vm);
	for (i = 0; i < ZONES_MAX; i++)
		REQUIRE_OK(zone(&vm, true, MMIO_IPA + 8 * i, 8));
	CHECK_ERR(zone(&vm, true, MMIO_IPA + 8 * i, 8), ENOSPC);
	REQUIRE_OK(zone(&vm, false, MMIO_IPA, 8));
	CHECK_OK(zone(&vm, true, MMIO_IPA + 8 * i, 8));
	vm_destroy(&vm);
}

/* What each CPU's next store must say; whoever leaves the guest takes what is there. */
static struct {
	pthread_mutex_t lock;
	u32 next[COALESCED_CPUS];
	u32 exits;
	u32 wrong;
} taken = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void take(u64 addr, const u8 *data)
{
	u64 value, cpu = (addr - MMIO_IPA) / 8;

	memcpy(&value, data, sizeof(value));
	if (cpu >= COALESCED_CPUS || value != COALESCED_VALUE(cpu, taken.next[cpu])) {
		if (!taken.wrong++)
			ktap_note("%#llx at %#llx is not what comes next", value, addr);
		return;
	}
	taken.next[cpu]++;
}

static void take_ring(struct kvm_coalesced_mmio_ring *ring)
{
	/* Pairs with the release of the entry. */
	while (ring->first != __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE)) {
		struct kvm_coalesced_mmio *e = &ring->coalesced_mmio[ring->first];

		take(e->phys_addr, e->data);
		/* The entry is free only when it has been read. */
		__atomic_store_n(&ring->first, (ring->first + 1) % ring_size(), __ATOMIC_RELEASE);
	}
}

static bool take_exit(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	if (run->exit_reason != KVM_EXIT_MMIO || !run->mmio.is_write)
		return false;
	pthread_mutex_lock(&taken.lock);
	take_ring(ring_of(vcpu));
	take(run->mmio.phys_addr, run->mmio.data);
	taken.exits++;
	pthread_mutex_unlock(&taken.lock);
	return true;
}

/* One ring for all vCPUs of the VM: no store is lost, and those of one CPU stay in order. */
static void shared(void)
{
	struct vm vm;
	u32 i;

	vm_create_guest(&vm, guest_abi_coalesced, guest_abi_coalesced_end, COALESCED_CPUS);
	vm_gic_create(&vm, 64);
	vm.exit = take_exit;
	REQUIRE_OK(zone(&vm, true, MMIO_IPA, 8 * COALESCED_CPUS));
	vm_start(&vm);
	CHECK_EQ(vm_wait(&vm), 0);
	take_ring(ring_of(&vm.vcpus[1]));
	CHECK_EQ(taken.wrong, 0);
	for (i = 0; i < COALESCED_CPUS; i++)
		CHECK_EQ(taken.next[i], COALESCED_N);
	/* A full ring stops each CPU once, and emptied it takes a ring's fill of stores. */
	CHECK(taken.exits >= 1);
	CHECK(taken.exits <= COALESCED_CPUS * (COALESCED_CPUS * COALESCED_N / (ring_size() - 1)));
	vm_destroy(&vm);
}

static const struct ktap_case cases[] = {
	{ "stores", stores },
	{ "full", full },
	{ "bad_numbers", bad_numbers },
	{ "zones", zones },
	{ "errors", errors },
	{ "many", many },
	{ "shared", shared },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
