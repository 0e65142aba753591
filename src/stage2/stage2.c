// SPDX-License-Identifier: GPL-2.0
/* Lifetime of guest memory: host limits, and what a VM and a vCPU own of it. */
#include <linux/slab.h>

#include <keel/host.h>
#include <keel/vm.h>

#include "tables.h"

#define IPA_BITS_DEFAULT	40
#define IPA_BITS_MIN		32

int stage2_init(void)
{
	return stage2_vmid_init();
}

void stage2_exit(void)
{
	stage2_vmid_exit();
}

unsigned int stage2_max_ipa_bits(void)
{
	return min_t(unsigned int, host.pa_bits, S2_MAX_PA_BITS);
}

static int ipa_bits_of(unsigned long type)
{
	unsigned long bits = type ?: IPA_BITS_DEFAULT;

	if (bits < IPA_BITS_MIN || bits > stage2_max_ipa_bits())
		return -EINVAL;
	return bits;
}

int stage2_create(struct keel_vm *vm, unsigned long type)
{
	struct stage2 *s2 = &vm->stage2;
	int ret = ipa_bits_of(type);

	if (ret < 0)
		return ret;
	s2->ipa_bits = ret;
	mutex_init(&s2->slots_lock);
	spin_lock_init(&s2->lock);
	INIT_LIST_HEAD(&s2->watches);

	ret = stage2_slots_create(s2);
	if (ret)
		return ret;
	ret = -ENOMEM;
	s2->last_vcpu = kcalloc(nr_cpu_ids, sizeof(*s2->last_vcpu), GFP_KERNEL_ACCOUNT);
	if (!s2->last_vcpu)
		goto err_slots;
	ret = stage2_tables_create(s2);
	if (ret)
		goto err_last;
	ret = stage2_notifier_register(vm);
	if (ret)
		goto err_tables;
	return 0;

err_tables:
	stage2_tables_destroy(s2);
err_last:
	kfree(s2->last_vcpu);
err_slots:
	stage2_slots_destroy(s2);
	return ret;
}

void stage2_destroy(struct keel_vm *vm)
{
	struct stage2 *s2 = &vm->stage2;

	stage2_notifier_unregister(vm);
	if (s2->lent)
		stage2_unmap(vm, s2->lent->base,
			     ipa_add(s2->lent->base, stage2_lent_size(s2->lent)), true);
	stage2_tables_destroy(s2);
	kfree(s2->last_vcpu);
	stage2_slots_destroy(s2);
	mutex_destroy(&s2->slots_lock);
}

int stage2_vcpu_create(struct keel_vcpu *vcpu)
{
	return stage2_cache_fill(vcpu);
}

void stage2_vcpu_destroy(struct keel_vcpu *vcpu)
{
	struct stage2_vcpu *c = &vcpu->stage2;

	while (c->nr_cache)
		free_page((unsigned long)c->cache[--c->nr_cache]);
}
