// SPDX-License-Identifier: GPL-2.0
/*
 * Lifetime of VMs and vCPUs. A VM lives as long as somebody holds a reference (its fd, its vCPUs'
 * fds, its devices' fds); its vCPUs live as long as the VM. Who only knows its id gets a reference
 * from the list for the time of a call; the list itself holds none.
 */
#define pr_fmt(fmt) "keel: " fmt

#include <linux/ctype.h>
#include <linux/kstrtox.h>
#include <linux/moduleparam.h>
#include <linux/pid.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include <keel/vm.h>

static DEFINE_MUTEX(vms_lock);
static LIST_HEAD(vms);	/* by id */
static u32 last_id;	/* under vms_lock */

DECLARE_WAIT_QUEUE_HEAD(vm_ended);

static void vcpu_destroy(struct keel_vcpu *vcpu)
{
	power_vcpu_destroy(vcpu);
	vtimer_vcpu_destroy(vcpu);
	vgic_vcpu_destroy(vcpu);
	stage2_vcpu_destroy(vcpu);
	mutex_destroy(&vcpu->mutex);
	free_page((unsigned long)vcpu->kvm_run);
	kfree(vcpu);
}

static void vm_note_creator(struct keel_vm *vm)
{
	char comm[TASK_COMM_LEN];
	unsigned int i;

	mmgrab(current->mm);
	vm->mm = current->mm;
	vm->creator = get_current_cred();
	vm->tgid = get_pid(task_tgid(current));
	vm->created = ktime_get_boottime_ns();
	vm->observe = true;
	get_task_comm(comm, current);
	for (i = 0; comm[i]; i++)
		vm->name[i] = isascii(comm[i]) && isprint(comm[i]) ? comm[i] : '?';
	if (!i)
		vm->name[0] = '?';
}

static void vm_forget_creator(struct keel_vm *vm)
{
	put_pid(vm->tgid);
	put_cred(vm->creator);
	mmdrop(vm->mm);
}

static void vm_destroy(struct kref *ref)
{
	struct keel_vm *vm = container_of(ref, struct keel_vm, ref);
	unsigned int i;

	mutex_lock(&vms_lock);
	list_del(&vm->link);
	mutex_unlock(&vms_lock);
	wake_up_all(&vm_ended);

	backdoor_vm_destroy(vm);
	power_vm_end(vm);
	/* Tables first: the notifier must not find half a VM. */
	stage2_destroy(vm);
	for (i = 0; i < vm->nr_vcpus; i++)
		vcpu_destroy(vm->vcpus[i]);
	vgic_vm_destroy(vm);
	coalesced_destroy(vm);
	mmio_destroy(vm);
	power_vm_destroy(vm);
	cleanup_srcu_struct(&vm->srcu);
	vm_forget_creator(vm);
	kvfree(vm);
}

void vm_get(struct keel_vm *vm)
{
	kref_get(&vm->ref);
}

void vm_put(struct keel_vm *vm)
{
	kref_put(&vm->ref, vm_destroy);
}

/* The first VM from id @from to @to. One without references is about to leave the list. */
static struct keel_vm *vm_find_between(u64 from, u64 to)
{
	struct keel_vm *vm, *found = NULL;

	mutex_lock(&vms_lock);
	list_for_each_entry(vm, &vms, link) {
		if (vm->id < from || vm->id > to || !kref_get_unless_zero(&vm->ref))
			continue;
		found = vm;
		break;
	}
	mutex_unlock(&vms_lock);
	return found;
}

struct keel_vm *vm_find(u32 id)
{
	return vm_find_between(id, id);
}

struct keel_vm *vm_find_next(u32 id)
{
	return vm_find_between(id + 1ULL, U32_MAX);
}

bool vm_lives(u32 id)
{
	struct keel_vm *vm;
	bool lives = false;

	mutex_lock(&vms_lock);
	list_for_each_entry(vm, &vms, link)
		if (vm->id == id)
			lives = kref_read(&vm->ref);
	mutex_unlock(&vms_lock);
	return lives;
}

void vm_name(struct keel_vm *vm, char *to)
{
	mutex_lock(&vms_lock);
	memcpy(to, vm->name, sizeof(vm->name));
	mutex_unlock(&vms_lock);
}

void vm_set_name(struct keel_vm *vm, const char *from)
{
	mutex_lock(&vms_lock);
	memcpy(vm->name, from, sizeof(vm->name));
	mutex_unlock(&vms_lock);
}

static unsigned int vm_hooks_default;

static int hooks_set(const char *text, const struct kernel_param *kp)
{
	unsigned int mask;
	int ret = kstrtouint(text, 0, &mask);

	if (ret)
		return ret;
	if (mask & ~VM_HOOKS) {
		pr_err("hooks=%s: no more than 0x%x is known\n", text, VM_HOOKS);
		return -EINVAL;
	}
	vm_hooks_default = mask;
	return 0;
}

static const struct kernel_param_ops hooks_ops = {
	.set = hooks_set,
	.get = param_get_uint,
};
module_param_cb(hooks, &hooks_ops, &vm_hooks_default, 0644);
MODULE_PARM_DESC(hooks, "hooks that new VMs begin with, a mask of KEEL_HOOK_* (default: 0)");

struct keel_vm *vm_create(unsigned long type)
{
	struct keel_vm *vm = kvzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!vm)
		return ERR_PTR(-ENOMEM);
	ret = init_srcu_struct(&vm->srcu);
	if (ret)
		goto err_srcu;
	kref_init(&vm->ref);
	mutex_init(&vm->lock);
	mutex_init(&vm->config_lock);
	mutex_init(&vm->bus_lock);
	mutex_init(&vm->hold_lock);
	INIT_LIST_HEAD(&vm->irqfds);
	INIT_LIST_HEAD(&vm->ioeventfds);
	vm_note_creator(vm);
	vm->hooks = READ_ONCE(vm_hooks_default);

	ret = coalesced_create(vm);
	if (ret)
		goto err_coalesced;
	ret = stage2_create(vm, type);
	if (ret)
		goto err_stage2;
	vcpu_arch_init_vm(vm);
	vgic_vm_init(vm);
	pnmi_vm_init(vm);
	backdoor_vm_init(vm);
	vtimer_vm_init(vm);
	power_vm_init(vm);

	mutex_lock(&vms_lock);
	vm->id = ++last_id;
	list_add_tail(&vm->link, &vms);
	mutex_unlock(&vms_lock);
	return vm;

err_stage2:
	coalesced_destroy(vm);
err_coalesced:
	vm_forget_creator(vm);
	cleanup_srcu_struct(&vm->srcu);
err_srcu:
	kvfree(vm);
	return ERR_PTR(ret);
}

struct keel_vcpu *vm_vcpu_by_id(struct keel_vm *vm, u32 id)
{
	struct keel_vcpu *vcpu;
	unsigned int i;

	vm_for_each_vcpu(i, vcpu, vm)
		if (vcpu->id == id)
			return vcpu;
	return NULL;
}

#define MPIDR_AFFINITY 0xff00ffffffULL

struct keel_vcpu *vm_vcpu_by_mpidr(struct keel_vm *vm, u64 mpidr)
{
	struct keel_vcpu *vcpu;
	unsigned int i;

	vm_for_each_vcpu(i, vcpu, vm)
		if (!((vcpu->state.reg[VCPU_MPIDR_EL1] ^ mpidr) & MPIDR_AFFINITY))
			return vcpu;
	return NULL;
}

static struct keel_vcpu *vcpu_create(struct keel_vm *vm, u32 id)
{
	struct keel_vcpu *vcpu = kzalloc(sizeof(*vcpu), GFP_KERNEL_ACCOUNT);
	int ret = -ENOMEM;

	if (!vcpu)
		return ERR_PTR(-ENOMEM);
	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->cpu = -1;
	vcpu->last_cpu = -1;
	mutex_init(&vcpu->mutex);
	rcuwait_init(&vcpu->wait);
	vcpu_preempt_init(vcpu);
	vcpu_visit_init(vcpu);
	power_vcpu_init(vcpu);
	vcpu->kvm_run = (struct kvm_run *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!vcpu->kvm_run)
		goto err_run;
	ret = stage2_vcpu_create(vcpu);
	if (ret)
		goto err_stage2;
	ret = vcpu_arch_create(vcpu);
	if (ret)
		goto err_arch;
	ret = vgic_vcpu_create(vcpu);
	if (ret)
		goto err_arch;
	vtimer_vcpu_create(vcpu);
	return vcpu;

err_arch:
	stage2_vcpu_destroy(vcpu);
err_stage2:
	free_page((unsigned long)vcpu->kvm_run);
err_run:
	kfree(vcpu);
	return ERR_PTR(ret);
}

struct keel_vcpu *vm_create_vcpu(struct keel_vm *vm, u32 id)
{
	struct keel_vcpu *vcpu;

	lockdep_assert_held(&vm->lock);
	if (id >= KEEL_MAX_VCPUS || vm->nr_vcpus == KEEL_MAX_VCPUS)
		return ERR_PTR(-EINVAL);
	if (vm_vcpu_by_id(vm, id))
		return ERR_PTR(-EEXIST);
	vcpu = vcpu_create(vm, id);
	if (IS_ERR(vcpu))
		return vcpu;
	mutex_lock(&vm->hold_lock);
	vm->vcpus[vm->nr_vcpus] = vcpu;
	/* Pairs with the load-acquire in vm_for_each_vcpu(). */
	smp_store_release(&vm->nr_vcpus, vm->nr_vcpus + 1);
	mutex_unlock(&vm->hold_lock);
	power_vcpu_added(vcpu);
	return vcpu;
}

void vm_shutdown_all(void)
{
	struct keel_vm *vm;

	mutex_lock(&vms_lock);
	WRITE_ONCE(vm_shut_down, true);
	list_for_each_entry(vm, &vms, link) {
		vm_request_all(vm, VCPU_REQ_LEAVE, NULL);
		vm_guest_barrier(vm);
	}
	mutex_unlock(&vms_lock);
}
