// SPDX-License-Identifier: GPL-2.0
/* A vCPU's beginning: creation, KVM_ARM_VCPU_INIT, reset, and what PSCI CPU_ON leaves to it. */
#include <linux/string.h>
#include <asm/ptrace.h>

#include <keel/compat.h>
#include <keel/host.h>
#include <keel/vm.h>

#include "internal.h"

/* Feature bits this ABI knows; the first word of kvm_vcpu_init.features holds all of them. */
#define FEATURES_PTRAUTH	(BIT(KVM_ARM_VCPU_PTRAUTH_ADDRESS) | \
				 BIT(KVM_ARM_VCPU_PTRAUTH_GENERIC))
#define FEATURES_KNOWN		(BIT(KVM_ARM_VCPU_POWER_OFF) | BIT(KVM_ARM_VCPU_EL1_32BIT) |	\
				 BIT(KVM_ARM_VCPU_PSCI_0_2) | BIT(KVM_ARM_VCPU_PMU_V3) |	\
				 BIT(KVM_ARM_VCPU_SVE) | FEATURES_PTRAUTH)

#define SCTLR_EE		BIT(25)		/* EL1 data is big-endian */
#define MPIDR_RES1		BIT(31)

void vcpu_arch_init_vm(struct keel_vm *vm)
{
	spin_lock_init(&vm->vcpu.psci_lock);
	vm->vcpu.id[ID_PFR0] = BIT(PFR0_GIC);
	idregs_compute(vm);
	hypercalls_init_vm(vm);
}

/* Sixteen vCPUs a cluster: what ICC_SGI1R_EL1's target list can name (KVM numbers them so too). */
static u64 mpidr_of(u32 id)
{
	return MPIDR_RES1 | (id & 0xf) | ((id >> 4) & 0xff) << 8 | ((id >> 12) & 0xff) << 16;
}

int vcpu_arch_create(struct keel_vcpu *vcpu)
{
	vcpu->state.reg[VCPU_MPIDR_EL1] = mpidr_of(vcpu->id);
	return 0;
}

void vcpu_arch_preferred_target(struct kvm_vcpu_init *init)
{
	memset(init, 0, sizeof(*init));
	init->target = KVM_ARM_TARGET_GENERIC_V8;
}

static u64 features_supported(void)
{
	u64 f = BIT(KVM_ARM_VCPU_POWER_OFF) | BIT(KVM_ARM_VCPU_PSCI_0_2);

	return host.pauth ? f | FEATURES_PTRAUTH : f;
}

static int check_init(const struct kvm_vcpu_init *init)
{
	u64 f = init->features[0];
	unsigned int i;

	if (init->target != KVM_ARM_TARGET_GENERIC_V8)
		return -EINVAL;
	if (f & ~FEATURES_KNOWN)
		return -ENOENT;
	for (i = 1; i < ARRAY_SIZE(init->features); i++)
		if (init->features[i])
			return -ENOENT;
	if (f & ~features_supported())
		return -EINVAL;
	/* Both or none: HCR_EL2.API and APK open instructions of either kind. */
	if ((f & FEATURES_PTRAUTH) && (f & FEATURES_PTRAUTH) != FEATURES_PTRAUTH)
		return -EINVAL;
	return 0;
}

/* The first vCPU's features are the VM's. */
static int configure_vm(struct keel_vm *vm, u64 features)
{
	int ret = 0;

	mutex_lock(&vm->config_lock);
	if (vm->vcpu.configured) {
		ret = features == vm->vcpu.features ? 0 : -EINVAL;
		goto out;
	}
	vm->vcpu.features = features;
	vm->vcpu.ptrauth = features & FEATURES_PTRAUTH;
	idregs_compute(vm);
	vm->vcpu.configured = true;
out:
	mutex_unlock(&vm->config_lock);
	return ret;
}

/*
 * A machine that starts again reads what its VMM has loaded, with its caches off and whatever its
 * instruction cache holds. Without FEAT_S2FWB, and for instructions, that takes maintenance.
 */
static void memory_as_new(struct keel_vm *vm)
{
	if (!host.fwb || !host.cache_dic)
		stage2_refault(vm);
}

int vcpu_arch_init(struct keel_vcpu *vcpu, const struct kvm_vcpu_init *init)
{
	struct keel_vm *vm = vcpu->vm;
	u64 features = init->features[0] & ~BIT(KVM_ARM_VCPU_POWER_OFF);
	int ret;

	ret = check_init(init);
	if (ret)
		return ret;
	ret = configure_vm(vm, features);
	if (ret)
		return ret;
	if (vcpu->state.ran)
		memory_as_new(vm);

	/* What is under way belongs to the life before: a CPU_ON, an MMIO access. */
	spin_lock(&vm->vcpu.psci_lock);
	vcpu->state.reset.pending = false;
	clear_bit(VCPU_REQ_RESET, &vcpu->requests);
	spin_unlock(&vm->vcpu.psci_lock);
	vcpu->run.mmio_pending = false;
	vcpu_reset(vcpu);
	vcpu->state.initialised = true;
	/* The machine begins anew: what the guest had open before nobody will close. */
	if (vcpu == vcpu->vm->vcpus[0])
		backdoor_reset(vcpu->vm);

	spin_lock(&vm->vcpu.psci_lock);
	WRITE_ONCE(vcpu->state.suspended, false);
	WRITE_ONCE(vcpu->state.power_off, init->features[0] & BIT(KVM_ARM_VCPU_POWER_OFF));
	spin_unlock(&vm->vcpu.psci_lock);
	return 0;
}

/* What CPU_ON asked for, over the reset values (PSCI 5.6: x0 is the context id, EL1, MMU off). */
static void apply_cpu_on(struct keel_vcpu *vcpu)
{
	struct vcpu_state *s = &vcpu->state;

	spin_lock(&vcpu->vm->vcpu.psci_lock);
	if (s->reset.pending) {
		s->ctx.pc = s->reset.pc;
		s->ctx.x[0] = s->reset.x0;
		if (s->reset.big_endian)
			s->reg[VCPU_SCTLR_EL1] |= SCTLR_EE;
		s->reset.pending = false;
	}
	spin_unlock(&vcpu->vm->vcpu.psci_lock);
}

void vcpu_reset(struct keel_vcpu *vcpu)
{
	struct vcpu_state *s = &vcpu->state;

	memset(&s->ctx, 0, sizeof(s->ctx));
	s->ctx.pstate = PSR_MODE_EL1h | PSR_D_BIT | PSR_A_BIT | PSR_I_BIT | PSR_F_BIT;
	memset(s->spsr_aarch32, 0, sizeof(s->spsr_aarch32));
	memset(&s->fp, 0, sizeof(s->fp));
	sysregs_reset(vcpu);
	s->vserror = false;
	s->vserror_esr = 0;
	vtimer_vcpu_reset(vcpu);
	vgic_vcpu_reset(vcpu);
	power_vcpu_reset(vcpu);
	apply_cpu_on(vcpu);
}
