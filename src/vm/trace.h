/* SPDX-License-Identifier: GPL-2.0 */
#if !defined(KEEL_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define KEEL_TRACE_H

#include <linux/tracepoint.h>

#include <keel/exits.h>
#include <keel/vm.h>

#undef TRACE_SYSTEM
#define TRACE_SYSTEM keel

TRACE_EVENT(keel_enter,
	TP_PROTO(struct keel_vcpu *vcpu),
	TP_ARGS(vcpu),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u32, vcpu)
		__field(u64, pc)
	),
	TP_fast_assign(
		__entry->vm = vcpu->vm->id;
		__entry->vcpu = vcpu->id;
		__entry->pc = vcpu->state.ctx.pc;
	),
	TP_printk("vm %u vcpu %u pc 0x%llx", __entry->vm, __entry->vcpu, __entry->pc)
);

/* Both tiers: tier 1 was answered at EL2. arg: a hypercall's x0, an abort's IPA. */
TRACE_EVENT(keel_exit,
	TP_PROTO(struct keel_vcpu *vcpu, unsigned int tier, unsigned int exit, u64 esr, u64 pc,
		 u64 arg),
	TP_ARGS(vcpu, tier, exit, esr, pc, arg),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u32, vcpu)
		__field(u32, tier)
		__field(u32, exit)
		__field(u64, esr)
		__field(u64, pc)
		__field(u64, arg)
	),
	TP_fast_assign(
		__entry->vm = vcpu->vm->id;
		__entry->vcpu = vcpu->id;
		__entry->tier = tier;
		__entry->exit = exit;
		__entry->esr = esr;
		__entry->pc = pc;
		__entry->arg = arg;
	),
	TP_printk("vm %u vcpu %u tier %u exit %u esr 0x%llx pc 0x%llx arg 0x%llx", __entry->vm,
		  __entry->vcpu, __entry->tier, __entry->exit, __entry->esr, __entry->pc,
		  __entry->arg)
);

/* A record of EL2 code other than an exit. */
TRACE_EVENT(keel_note,
	TP_PROTO(struct keel_vcpu *vcpu, u64 kind, u64 a, u64 b),
	TP_ARGS(vcpu, kind, a, b),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u32, vcpu)
		__field(u64, kind)
		__field(u64, a)
		__field(u64, b)
	),
	TP_fast_assign(
		__entry->vm = vcpu->vm->id;
		__entry->vcpu = vcpu->id;
		__entry->kind = kind;
		__entry->a = a;
		__entry->b = b;
	),
	TP_printk("vm %u vcpu %u kind %llu 0x%llx 0x%llx", __entry->vm, __entry->vcpu,
		  __entry->kind, __entry->a, __entry->b)
);

TRACE_EVENT(keel_fault,
	TP_PROTO(struct keel_vcpu *vcpu, struct ipa ipa, u64 esr),
	TP_ARGS(vcpu, ipa, esr),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u32, vcpu)
		__field(u64, ipa)
		__field(u64, esr)
	),
	TP_fast_assign(
		__entry->vm = vcpu->vm->id;
		__entry->vcpu = vcpu->id;
		__entry->ipa = ipa.v;
		__entry->esr = esr;
	),
	TP_printk("vm %u vcpu %u ipa 0x%llx esr 0x%llx", __entry->vm, __entry->vcpu,
		  __entry->ipa, __entry->esr)
);

TRACE_EVENT(keel_irq,
	TP_PROTO(struct keel_vm *vm, u32 vcpu, u32 intid, bool level),
	TP_ARGS(vm, vcpu, intid, level),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u32, vcpu)
		__field(u32, intid)
		__field(bool, level)
	),
	TP_fast_assign(
		__entry->vm = vm->id;
		__entry->vcpu = vcpu;
		__entry->intid = intid;
		__entry->level = level;
	),
	TP_printk("vm %u vcpu %u intid %u level %d", __entry->vm, __entry->vcpu,
		  __entry->intid, __entry->level)
);

/* A vCPU is treated by another target; in parts of KEEL_POWER_FULL, asked as KEEL_POWER_VCPU's. */
TRACE_EVENT(keel_power,
	TP_PROTO(struct keel_vcpu *vcpu, u32 asked, u32 target, u32 delivered),
	TP_ARGS(vcpu, asked, target, delivered),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u32, vcpu)
		__field(u32, asked)
		__field(u32, target)
		__field(u32, delivered)
	),
	TP_fast_assign(
		__entry->vm = vcpu->vm->id;
		__entry->vcpu = vcpu->id;
		__entry->asked = asked;
		__entry->target = target;
		__entry->delivered = delivered;
	),
	TP_printk("vm %u vcpu %u asked %d target %u delivered %u", __entry->vm, __entry->vcpu,
		  (int)__entry->asked, __entry->target, __entry->delivered)
);

#endif /* KEEL_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH src/vm
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
