// SPDX-License-Identifier: GPL-2.0
/*
 * Observers: processes that look at a VM beside its VMM. Which VMs they see, their file, and the
 * ioctls of keel's own that work on it and on the VM file alike.
 *
 * An observer file knows no more than an id. Each call looks the VM up and holds it until it is
 * over, so the VM ends when its VMM is through with it, and its memory with it.
 */
#include <linux/anon_inodes.h>
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/sched/coredump.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <linux/keel.h>

#include <keel/abi.h>
#include <keel/vm.h>

/* --- Who may --- */

/*
 * Who could attach to the VMM with ptrace() may observe its VM; ptrace_may_access() is not
 * exported. A VMM that changed its ids or runs a set-user-id program is not dumpable.
 */
static bool observer_is_owner(const struct keel_vm *vm)
{
	const struct cred *me = current_cred(), *vmm = vm->creator;

	return uid_eq(me->uid, vmm->uid) && uid_eq(me->uid, vmm->euid) &&
	       uid_eq(me->uid, vmm->suid) && gid_eq(me->gid, vmm->gid) &&
	       gid_eq(me->gid, vmm->egid) && gid_eq(me->gid, vmm->sgid) &&
	       me->user_ns == vmm->user_ns && get_dumpable(vm->mm) == SUID_DUMP_USER;
}

/* Not audited: to list is no attempt on those that one does not see. */
static bool observer_may(const struct keel_vm *vm)
{
	return READ_ONCE(vm->observe) &&
	       (observer_is_owner(vm) ||
		ns_capable_noaudit(vm->creator->user_ns, CAP_SYS_PTRACE));
}

struct keel_vm *abi_observed_vm(u32 id)
{
	struct keel_vm *vm = vm_find(id);

	if (!vm)
		return ERR_PTR(-ENODEV);
	if (READ_ONCE(vm->observe))
		return vm;
	vm_put(vm);
	return ERR_PTR(-EPERM);
}

/* --- What they see --- */

static void vm_info(struct keel_vm *vm, struct keel_vm_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	info->id = vm->id;
	info->nr_vcpus = vm_nr_vcpus(vm);
	info->uid = from_kuid_munged(current_user_ns(), vm->creator->uid);
	info->gid = from_kgid_munged(current_user_ns(), vm->creator->gid);
	/* The number of a process that is gone may be another's now. */
	if (pid_has_task(vm->tgid, PIDTYPE_TGID))
		info->tgid = pid_vnr(vm->tgid);
	info->age = ktime_get_boottime_ns() - vm->created;
	info->memory = stage2_memory(vm);
	vm_name(vm, info->name);
}

int abi_next_vm(struct keel_vm_info *info)
{
	struct keel_vm *vm;
	u32 id = info->id;
	bool may;

	if (abi_bad_argument(info) || info->pad)
		return -EINVAL;
	do {
		vm = vm_find_next(id);
		if (!vm)
			return -ENOENT;
		id = vm->id;
		may = observer_may(vm);
		if (may)
			vm_info(vm, info);
		vm_put(vm);
	} while (!may);
	return 0;
}

static u32 vcpu_info_state(struct keel_vcpu *vcpu)
{
	if (READ_ONCE(vcpu->mode) == VCPU_IN_GUEST)
		return KEEL_VCPU_GUEST;
	if (READ_ONCE(vcpu->state.power_off))
		return KEEL_VCPU_OFF;
	if (READ_ONCE(vcpu->state.suspended))
		return KEEL_VCPU_SUSPENDED;
	if (rcuwait_active(&vcpu->wait))
		return KEEL_VCPU_BLOCKED;
	return rcu_access_pointer(vcpu->task) ? KEEL_VCPU_HOST : KEEL_VCPU_OUTSIDE;
}

/* The vCPU goes on meanwhile: each value was true at some moment, no two need agree. */
static long vcpu_info(struct keel_vm *vm, void *arg)
{
	struct keel_vcpu_info *info = arg;
	struct keel_vcpu *vcpu;
	unsigned int i;

	if (abi_bad_argument(info))
		return -EINVAL;
	if (info->index >= vm_nr_vcpus(vm))
		return -ENOENT;
	vcpu = vm->vcpus[array_index_nospec(info->index, KEEL_MAX_VCPUS)];
	info->id = vcpu->id;
	info->state = vcpu_info_state(vcpu);
	info->cpu = READ_ONCE(vcpu->cpu);
	info->exits = READ_ONCE(vcpu->count[COUNT_EXITS]);
	info->exits_el2 = 0;
	for (i = 0; i < EL2_NR_EXITS; i++)
		info->exits_el2 += READ_ONCE(vcpu->state.ctx.answered[i]);
	return 0;
}

static long stats_fd(struct keel_vm *vm, void *arg)
{
	return abi_stats_observed(vm, arg);
}

/* An array besides the argument: filled in by the call, copied to user space afterwards. */
struct vm_sample {
	struct keel_pnmi_sample arg;
	struct keel_pnmi_vcpu *out;
};

static long sample_take(struct keel_vm *vm, void *arg)
{
	struct vm_sample *s = arg;

	s->out = pnmi_sample(vm, &s->arg);
	return PTR_ERR_OR_ZERO(s->out);
}

static long sample_finish(void *arg, long ret)
{
	struct vm_sample *s = arg;

	if (ret < 0)
		return ret;
	if (copy_to_user(u64_to_user_ptr(s->arg.vcpus), s->out, s->arg.nr * sizeof(*s->out)))
		ret = -EFAULT;
	kvfree(s->out);
	return ret;
}

static long hooks(struct keel_vm *vm, void *arg)
{
	struct keel_hooks *h = arg;
	int ret;

	if (abi_bad_argument(h) || h->hooks || h->known)
		return -EINVAL;
	ret = run_set_hooks(vm, h->on, h->off);
	if (ret)
		return ret;
	h->hooks = READ_ONCE(vm->hooks);
	h->known = VM_HOOKS;
	return 0;
}

static long power(struct keel_vm *vm, void *arg)
{
	return power_set(vm, arg);
}

static long place_power_page(struct keel_vm *vm, void *arg)
{
	return power_page(vm, arg);
}

static long name_power_states(struct keel_vm *vm, void *arg)
{
	return power_states(vm, arg);
}

static long look_at_power(struct keel_vm *vm, void *arg)
{
	return power_vcpu(vm, arg);
}

static long inject(struct keel_vm *vm, void *arg)
{
	return pnmi_inject(vm, arg);
}

/* --- Ioctls on a VM, of its VMM or of an observer --- */

union vm_arg {
	struct keel_vcpu_info vcpu_info;
	struct keel_stats stats;
	struct vm_sample sample;
	struct keel_pnmi_inject inject;
	struct keel_hooks hooks;
	struct abi_backdoor_open backdoor;
	struct abi_vcpu_regs regs;
	struct abi_gva_translate gva_translate;
	struct abi_gva_scan gva_scan;
	struct abi_gva_read gva_read;
	struct keel_power power;
	struct keel_power_page power_page;
	struct keel_power_states power_states;
	struct keel_power_vcpu power_vcpu;
};

/*
 * The argument, with which @arg begins, is copied before the call, the rest is 0; and, where the
 * number says that it is read, after a call that succeeds, or that says how much room it wants
 * (-E2BIG). Before that comes finish(), for what else the call made; it has the last word. No call
 * touches user memory (abi_observed_vm()). One that takes long, or would have to wait, returns
 * ABI_AGAIN; it goes on after wait(), during which an observer does not hold the VM.
 */
static const struct vm_op {
	unsigned int nr;
	long (*call)(struct keel_vm *vm, void *arg);
	long (*wait)(void *arg);
	long (*finish)(void *arg, long ret);
} vm_ops[] = {
	{ .nr = KEEL_VCPU_INFO, .call = vcpu_info },
	{ .nr = KEEL_STATS_FD, .call = stats_fd },
	{ .nr = KEEL_PNMI_SAMPLE, .call = sample_take, .finish = sample_finish },
	{ .nr = KEEL_PNMI_INJECT, .call = inject },
	{ .nr = KEEL_HOOKS, .call = hooks },
	{ .nr = KEEL_BACKDOOR_OPEN, .call = abi_backdoor_open },
	{ .nr = KEEL_VCPU_REGS, .call = abi_vcpu_regs },
	{ .nr = KEEL_GVA_TRANSLATE, .call = abi_gva_translate, .wait = abi_gva_translate_wait },
	{ .nr = KEEL_GVA_SCAN, .call = abi_gva_scan, .wait = abi_gva_scan_wait,
	  .finish = abi_gva_scan_finish },
	{ .nr = KEEL_POWER, .call = power },
	{ .nr = KEEL_POWER_PAGE, .call = place_power_page },
	{ .nr = KEEL_POWER_STATES, .call = name_power_states },
	{ .nr = KEEL_POWER_VCPU, .call = look_at_power },
	{ .nr = KEEL_GVA_READ, .call = abi_gva_read, .wait = abi_gva_read_wait,
	  .finish = abi_gva_read_finish },
};

static const struct vm_op *vm_op_find(unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vm_ops); i++)
		if (vm_ops[i].nr == nr)
			return &vm_ops[i];
	return NULL;
}

/* @vm is NULL for an observer, who knows only its @id. */
static long vm_op_once(struct keel_vm *vm, u32 id, const struct vm_op *op, union vm_arg *arg)
{
	bool observer = !vm;
	long ret;

	if (observer)
		vm = abi_observed_vm(id);
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	if (op->nr == KEEL_BACKDOOR_OPEN)
		arg->backdoor.observer = observer;
	ret = op->call(vm, arg);
	if (observer)
		vm_put(vm);
	return ret;
}

static long vm_op_call(struct keel_vm *vm, u32 id, const struct vm_op *op, void __user *argp)
{
	union vm_arg arg;
	long ret;

	memset(&arg, 0, sizeof(arg));
	if (copy_from_user(&arg, argp, _IOC_SIZE(op->nr)))
		return -EFAULT;
	do {
		ret = vm_op_once(vm, id, op, &arg);
	} while (ret == ABI_AGAIN && !(ret = op->wait(&arg)));
	if (op->finish)
		ret = op->finish(&arg, ret);
	if ((ret >= 0 || ret == -E2BIG) && _IOC_DIR(op->nr) & _IOC_READ &&
	    copy_to_user(argp, &arg, _IOC_SIZE(op->nr)))
		return -EFAULT;
	return ret;
}

long abi_vm_keel_ioctl(struct keel_vm *vm, unsigned int nr, unsigned long arg)
{
	const struct vm_op *op = vm_op_find(nr);

	return op ? vm_op_call(vm, vm->id, op, (void __user *)arg) : -ENOTTY;
}

/* --- The observer file --- */

static u32 observer_id(const struct file *file)
{
	return (unsigned long)file->private_data;
}

static long observer_ioctl(struct file *file, unsigned int nr, unsigned long arg)
{
	const struct vm_op *op = vm_op_find(nr);
	u32 id = observer_id(file);
	struct keel_vm *vm;

	/* Whatever the number and its argument, a VM that has ended comes first. */
	vm = abi_observed_vm(id);
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	vm_put(vm);
	return op ? vm_op_call(NULL, id, op, (void __user *)arg) : -ENOTTY;
}

static __poll_t observer_poll(struct file *file, poll_table *wait)
{
	poll_wait(file, &vm_ended, wait);
	return vm_lives(observer_id(file)) ? 0 : EPOLLHUP;
}

static const struct file_operations observer_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = observer_ioctl,
	.compat_ioctl = abi_no_compat_ioctl,
	.poll = observer_poll,
	.llseek = noop_llseek,
};

int abi_open_vm(unsigned long id)
{
	struct keel_vm *vm = id <= U32_MAX ? vm_find(id) : NULL;
	bool may;

	if (!vm)
		return -ENOENT;
	may = observer_may(vm);
	vm_put(vm);
	if (!may)
		return -EPERM;
	return anon_inode_getfd("keel-observer", &observer_fops, (void *)id, O_RDWR | O_CLOEXEC);
}
