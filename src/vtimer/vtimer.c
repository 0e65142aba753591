// SPDX-License-Identifier: GPL-2.0
/*
 * The generic timers of a vCPU (Arm ARM, "The Generic Timer in AArch64 state").
 *
 * Virtual: in the CPU while the vCPU is loaded. When it fires the host takes the PPI, drops its
 * priority and leaves it ACTIVE; the vGIC puts it into a list register that is tied to the host's
 * interrupt, and the guest's EOI deactivates both. ACTIVE belongs to the physical CPU: each load
 * sees to it, and vtimer_flush() corrects it when the vGIC's idea changed without the guest's EOI.
 * While the vCPU is blocked an hrtimer stands for it; while it is preempted or in userspace nothing
 * does: the next load looks.
 *
 * Physical: registers trapped, always an hrtimer. The physical counter is the host's.
 */
#include <clocksource/arm_arch_timer.h>
#include <linux/uaccess.h>

#include <keel/compat.h>
#include <keel/host.h>

#include "internal.h"

static u64 timer_offset(const struct vtimer_ctx *t)
{
	return t == &t->vcpu->vtimer.virt ? READ_ONCE(t->vcpu->vm->vtimer.voffset) : 0;
}

/* The counter as this timer sees it. */
static u64 timer_count(const struct vtimer_ctx *t)
{
	return arch_timer_read_counter() - timer_offset(t);
}

/* Unsigned, as the architecture compares: CompareValue in the past means met. */
static bool timer_met(const struct vtimer_ctx *t)
{
	return timer_count(t) >= t->cval;
}

static u32 timer_intid(const struct vtimer_ctx *t)
{
	const struct vtimer_vm *vt = &t->vcpu->vm->vtimer;

	return t == &t->vcpu->vtimer.virt ? vt->ppi_virt : vt->ppi_phys;
}

static void timer_set_line(struct vtimer_ctx *t, bool level)
{
	if (t->line == level)
		return;
	t->line = level;
	/* Before the first run there is nobody to tell, and without a vGIC never. */
	if (t->vcpu->vgic.mapped)
		vgic_set_line(t->vcpu, timer_intid(t), level);
}

/* From @now, a count, until the condition is met; a far one is cut, the callback looks again. */
static ktime_t timer_delay(const struct vtimer_ctx *t, u64 now)
{
	u64 ticks = t->cval - now, freq = read_sysreg(cntfrq_el0);

	if (now >= t->cval)
		return 0;
	return ns_to_ktime(min(ticks / freq, 1ULL << 20) * NSEC_PER_SEC +
			   ticks % freq * NSEC_PER_SEC / freq + 1);
}

/* The host's clock is steered and the counter is not: early is possible. */
static enum hrtimer_restart timer_expired(struct hrtimer *hrt)
{
	struct vtimer_ctx *t = container_of(hrt, struct vtimer_ctx, soft);

	if (!timer_met(t)) {
		hrtimer_forward_now(hrt, timer_delay(t, timer_count(t)));
		return HRTIMER_RESTART;
	}
	timer_set_line(t, true);
	return HRTIMER_NORESTART;
}

/* The clock is read right after the counter: what lies between makes the guest's timer late. */
static void timer_start_hrtimer(struct vtimer_ctx *t)
{
	u64 now = timer_count(t);
	ktime_t clock = ktime_get_boottime();

	hrtimer_start(&t->soft, ktime_add(clock, timer_delay(t, now)), HRTIMER_MODE_ABS_HARD);
}

/* By memory, for a timer that is not in the CPU: line, and an hrtimer if it is to rise. */
static void timer_start_soft(struct vtimer_ctx *t)
{
	hrtimer_cancel(&t->soft);
	timer_set_line(t, vtimer_armed(t->ctl) && timer_met(t));
	if (vtimer_armed(t->ctl) && !t->line)
		timer_start_hrtimer(t);
}

void vtimer_vm_init(struct keel_vm *vm)
{
	vm->vtimer.voffset = arch_timer_read_counter();
	vm->vtimer.ppi_virt = VTIMER_VIRT_PPI;
	vm->vtimer.ppi_phys = VTIMER_PHYS_PPI;
}

static void timer_create(struct vtimer_ctx *t, struct keel_vcpu *vcpu)
{
	t->vcpu = vcpu;
	/* The counter goes on while the host is suspended, so the clock must be one that does. */
	hrtimer_setup(&t->soft, timer_expired, CLOCK_BOOTTIME, HRTIMER_MODE_ABS_HARD);
}

void vtimer_vcpu_create(struct keel_vcpu *vcpu)
{
	timer_create(&vcpu->vtimer.virt, vcpu);
	timer_create(&vcpu->vtimer.phys, vcpu);
}

void vtimer_vcpu_destroy(struct keel_vcpu *vcpu)
{
	hrtimer_cancel(&vcpu->vtimer.virt.soft);
	hrtimer_cancel(&vcpu->vtimer.phys.soft);
}

static void timer_reset(struct vtimer_ctx *t)
{
	t->ctl = 0;
	t->cval = 0;
	timer_start_soft(t);
}

void vtimer_vcpu_reset(struct keel_vcpu *vcpu)
{
	timer_reset(&vcpu->vtimer.virt);
	timer_reset(&vcpu->vtimer.phys);
}

int vtimer_first_run(struct keel_vcpu *vcpu)
{
	struct vtimer_vm *vt = &vcpu->vm->vtimer;

	lockdep_assert_held(&vcpu->vm->config_lock);
	if (vt->ppi_virt == vt->ppi_phys)
		return -EINVAL;
	vt->fixed = true;
	if (!vcpu->vm->vgic.ready)
		return 0;
	/* What the timers did before is told anew: here, and by vtimer_load(). */
	hrtimer_cancel(&vcpu->vtimer.phys.soft);
	vcpu->vtimer.virt.line = false;
	vcpu->vtimer.phys.line = false;
	vgic_own(vcpu, vt->ppi_phys);
	vgic_map_phys(vcpu, vt->ppi_virt, host_vtimer_intid(), host_vtimer_set_active);
	timer_start_soft(&vcpu->vtimer.phys);
	return 0;
}

/* What the hardware says, to the vGIC. */
static void virt_sample(struct keel_vcpu *vcpu)
{
	timer_set_line(&vcpu->vtimer.virt, el2_call(vtimer_sample_el2));
}

void vtimer_load(struct keel_vcpu *vcpu)
{
	virt_sample(vcpu);
	if (vcpu->vgic.mapped)
		vgic_map_load(vcpu);
	else
		host_vtimer_set_active(vcpu->vtimer.virt.line);
}

void vtimer_flush(struct keel_vcpu *vcpu)
{
	vgic_map_flush(vcpu);
}

/* A rising line makes the host's interrupt, so only one that is up need be looked at. */
void vtimer_sync(struct keel_vcpu *vcpu)
{
	if (vcpu->vtimer.virt.line)
		virt_sample(vcpu);
}

void vtimer_block(struct keel_vcpu *vcpu)
{
	timer_start_soft(&vcpu->vtimer.virt);
}

void vtimer_unblock(struct keel_vcpu *vcpu)
{
	hrtimer_cancel(&vcpu->vtimer.virt.soft);
}

void vtimer_host_irq(struct keel_vcpu *vcpu)
{
	bool level = el2_call(vtimer_sample_el2);

	vcpu->vtimer.virt.line = level;
	vgic_map_fired(vcpu, level);
}

u64 vtimer_phys_read(struct keel_vcpu *vcpu, enum vtimer_reg r)
{
	struct vtimer_ctx *t = &vcpu->vtimer.phys;

	return vtimer_ctx_read(t, r, timer_count(t));
}

void vtimer_phys_write(struct keel_vcpu *vcpu, enum vtimer_reg r, u64 val)
{
	struct vtimer_ctx *t = &vcpu->vtimer.phys;

	/* The callback reads what is written here. */
	hrtimer_cancel(&t->soft);
	vtimer_ctx_write(t, r, val, timer_count(t));
	timer_start_soft(t);
}

/* The ids are the ABI's: those of CNTV_CVAL and CNTVCT have each other's encoding. */
static const struct {
	u64 id;
	bool phys;
	enum vtimer_reg reg;
} timer_regs[] = {
	{ KVM_REG_ARM_TIMER_CTL, false, VTIMER_CTL },
	{ KVM_REG_ARM_TIMER_CNT, false, VTIMER_CNT },
	{ KVM_REG_ARM_TIMER_CVAL, false, VTIMER_CVAL },
	{ KVM_REG_ARM_PTIMER_CTL, true, VTIMER_CTL },
	{ KVM_REG_ARM_PTIMER_CNT, true, VTIMER_CNT },
	{ KVM_REG_ARM_PTIMER_CVAL, true, VTIMER_CVAL },
};

unsigned int vtimer_reg_list(struct keel_vcpu *vcpu, u64 *ids)
{
	unsigned int i;

	for (i = 0; ids && i < ARRAY_SIZE(timer_regs); i++)
		ids[i] = timer_regs[i].id;
	return ARRAY_SIZE(timer_regs);
}

static struct vtimer_ctx *timer_by_id(struct keel_vcpu *vcpu, u64 id, enum vtimer_reg *reg)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(timer_regs); i++) {
		if (timer_regs[i].id != id)
			continue;
		*reg = timer_regs[i].reg;
		return timer_regs[i].phys ? &vcpu->vtimer.phys : &vcpu->vtimer.virt;
	}
	return NULL;
}

int vtimer_reg_get(struct keel_vcpu *vcpu, u64 id, u64 *val)
{
	enum vtimer_reg reg;
	struct vtimer_ctx *t = timer_by_id(vcpu, id, &reg);

	if (!t)
		return -ENOENT;
	*val = vtimer_ctx_read(t, reg, timer_count(t));
	return 0;
}

int vtimer_reg_set(struct keel_vcpu *vcpu, u64 id, u64 val)
{
	enum vtimer_reg reg;
	struct vtimer_ctx *t = timer_by_id(vcpu, id, &reg);

	if (!t)
		return -ENOENT;
	if (t == &vcpu->vtimer.phys)
		vtimer_phys_write(vcpu, reg, val);
	else if (reg == VTIMER_CNT)
		WRITE_ONCE(vcpu->vm->vtimer.voffset, arch_timer_read_counter() - val);
	else
		vtimer_ctx_write(t, reg, val, timer_count(t));
	return 0;
}

static u32 *attr_ppi(struct keel_vcpu *vcpu, u64 attr)
{
	switch (attr) {
	case KVM_ARM_VCPU_TIMER_IRQ_VTIMER:
		return &vcpu->vm->vtimer.ppi_virt;
	case KVM_ARM_VCPU_TIMER_IRQ_PTIMER:
		return &vcpu->vm->vtimer.ppi_phys;
	default:
		return NULL;
	}
}

int vtimer_set_attr(struct keel_vcpu *vcpu, struct kvm_device_attr *attr)
{
	u32 *ppi = attr_ppi(vcpu, attr->attr);
	struct keel_vm *vm = vcpu->vm;
	int irq, ret = 0;

	if (!READ_ONCE(vm->vgic.created))
		return -EINVAL;
	if (get_user(irq, (int __user *)u64_to_user_ptr(attr->addr)))
		return -EFAULT;
	if (irq < VGIC_NR_SGIS || irq >= VGIC_NR_PRIVATE)
		return -EINVAL;
	if (!ppi)
		return -ENXIO;
	mutex_lock(&vm->config_lock);
	if (vm->vtimer.fixed)
		ret = -EBUSY;
	else
		*ppi = irq;
	mutex_unlock(&vm->config_lock);
	return ret;
}

int vtimer_get_attr(struct keel_vcpu *vcpu, struct kvm_device_attr *attr)
{
	u32 *ppi = attr_ppi(vcpu, attr->attr);

	if (!ppi)
		return -ENXIO;
	return put_user((int)READ_ONCE(*ppi), (int __user *)u64_to_user_ptr(attr->addr));
}

int vtimer_has_attr(struct keel_vcpu *vcpu, struct kvm_device_attr *attr)
{
	return attr_ppi(vcpu, attr->attr) ? 0 : -ENXIO;
}
