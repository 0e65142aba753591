// SPDX-License-Identifier: GPL-2.0
/*
 * A vGIC's life: created (KVM_CREATE_DEVICE), initialised (its interrupts exist; the number of
 * vCPUs is fixed from then), ready (at the first KVM_RUN the guest can reach its frames). Each step
 * under vm->config_lock.
 */
#define pr_fmt(fmt) "keel: " fmt

#include <linux/slab.h>

#include <keel/compat.h>
#include <keel/host.h>

#include "internal.h"

#define DEFAULT_SPIS (256 - VGIC_NR_PRIVATE)	/* if the VMM does not say, as KVM */

int __init vgic_init_host(void)
{
	unsigned long flags;
	u64 vtr;

	local_irq_save(flags);
	vtr = el2_call(vgic_probe_el2);
	local_irq_restore(flags);

	vgic_host.nr_lrs = (vtr & 0x1f) + 1;
	/* ICH_VTR_EL2.PREbits + 1 bits of preemption: 32 of them to a register */
	vgic_host.nr_aprs = 1 << max_t(int, ((vtr >> 26) & 7) - 4, 0);
	vgic_host.dir_trap = vtr & ICH_VTR_TDS_MASK;
	if (vgic_host.nr_lrs > VGIC_MAX_LRS || vgic_host.nr_aprs > VGIC_MAX_APRS) {
		pr_err("the GIC's virtual interface is unknown (ICH_VTR_EL2 = 0x%llx)\n", vtr);
		return -ENXIO;
	}
	return 0;
}

bool vgic_traps_dir(const struct keel_vm *vm)
{
	return vm->vgic.created && vgic_host.dir_trap;
}

void vgic_vm_init(struct keel_vm *vm)
{
	INIT_LIST_HEAD(&vm->vgic.rd_regions);
	vm->vgic.dist_base = ipa(VGIC_NO_ADDR);
	vgic_home_init(&vm->vgic.nobody, NULL);
}

void vgic_vm_destroy(struct keel_vm *vm)
{
	vgic_frames_forget(vm);
	kvfree(vm->vgic.spi);
}

int vgic_vcpu_create(struct keel_vcpu *vcpu)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	u32 i;

	if (vcpu->vm->vgic.initialised)
		return -EBUSY;
	v->private = kcalloc(VGIC_NR_PRIVATE, sizeof(*v->private), GFP_KERNEL_ACCOUNT);
	if (!v->private)
		return -ENOMEM;
	vgic_home_init(&v->home, vcpu);
	for (i = 0; i < VGIC_NR_PRIVATE; i++)
		vgic_irq_init(&v->private[i], i, &v->home);
	v->sgi1r = sgi1r_target(vcpu->state.reg[VCPU_MPIDR_EL1]);
	vgic_vcpu_reset(vcpu);
	return 0;
}

void vgic_vcpu_destroy(struct keel_vcpu *vcpu)
{
	kfree(vcpu->vgic.private);
}

void vgic_vcpu_reset(struct keel_vcpu *vcpu)
{
	vcpu->vgic.cpuif = (struct vgic_cpuif) {};
}

int vgic_create(struct keel_vm *vm)
{
	struct keel_vcpu *vcpu;
	unsigned int i;
	int ret = 0;

	mutex_lock(&vm->config_lock);
	if (vm->vgic.created)
		ret = -EEXIST;
	vm_for_each_vcpu(i, vcpu, vm)
		if (!ret && vcpu->vgic.ran)
			ret = -EBUSY;
	if (!ret)
		WRITE_ONCE(vm->vgic.created, true);
	mutex_unlock(&vm->config_lock);
	return ret;
}

void vgic_uncreate(struct keel_vm *vm)
{
	mutex_lock(&vm->config_lock);
	if (!vm->vgic.initialised) {
		WRITE_ONCE(vm->vgic.created, false);
		vm->vgic.nr_spis = 0;
		vgic_frames_forget(vm);
	}
	mutex_unlock(&vm->config_lock);
}

int vgic_init(struct keel_vm *vm)
{
	struct vgic *g = &vm->vgic;
	struct vgic_home *home = vgic_route(vm, 0);
	u32 i;

	if (g->initialised)
		return 0;
	if (!g->nr_spis)
		g->nr_spis = DEFAULT_SPIS;
	g->spi = kvcalloc(g->nr_spis, sizeof(*g->spi), GFP_KERNEL_ACCOUNT);
	if (!g->spi)
		return -ENOMEM;
	for (i = 0; i < g->nr_spis; i++)
		vgic_irq_init(&g->spi[i], VGIC_NR_PRIVATE + i, home);
	/* Pairs with the load-acquire in vgic_inject(). */
	smp_store_release(&g->initialised, true);
	return 0;
}

int vgic_first_run(struct keel_vcpu *vcpu)
{
	struct keel_vm *vm = vcpu->vm;
	int ret = 0;

	mutex_lock(&vm->config_lock);
	if (vm->vgic.created && !vm->vgic.ready) {
		ret = vgic_frames_register(vm);
		if (!ret)
			WRITE_ONCE(vm->vgic.ready, true);
	}
	if (!ret)
		vcpu->vgic.ran = true;
	mutex_unlock(&vm->config_lock);
	return ret;
}
