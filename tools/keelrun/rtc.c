// SPDX-License-Identifier: GPL-2.0
/* The clock: Arm PrimeCell PL031 (DDI 0224). Seconds since 1970, and an alarm. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "rtc.h"
#include "vm.h"

#define RTC_DR		0x00
#define RTC_MR		0x04
#define RTC_LR		0x08
#define RTC_CR		0x0c
#define RTC_IMSC	0x10
#define RTC_RIS		0x14
#define RTC_MIS		0x18
#define RTC_ICR		0x1c
#define RTC_ID		0xfe0

struct rtc {
	struct vm *vm;
	struct event_source alarm;
	pthread_mutex_t lock;
	u32 offset;			/* the guest's time less the host's, modulo 2^32 */
	u32 match, load, imsc, ris;
	bool line;
};

static const u8 pl031_id[] = { 0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

static u32 host_seconds(void)
{
	return time(NULL);
}

static void update_line(struct rtc *rtc)
{
	bool level = rtc->ris & rtc->imsc;

	if (level == rtc->line)
		return;
	rtc->line = level;
	vm_irq_set(rtc->vm, RTC_SPI, level);
}

/* The alarm comes when the counter equals the match register: always in the future. */
static void set_alarm(struct rtc *rtc)
{
	u32 wait = rtc->match - (host_seconds() + rtc->offset);
	struct itimerspec when = { .it_value.tv_sec = (u64)host_seconds() + wait };

	if (!wait)
		rtc->ris = 1;
	else
		timerfd_settime(rtc->alarm.fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void alarm_ready(struct event_source *src)
{
	struct rtc *rtc = container_of(src, struct rtc, alarm);

	eventfd_clear(src->fd);
	pthread_mutex_lock(&rtc->lock);
	rtc->ris = 1;
	update_line(rtc);
	pthread_mutex_unlock(&rtc->lock);
}

static u32 read_register(struct rtc *rtc, u64 offset)
{
	switch (offset) {
	case RTC_DR:
		return host_seconds() + rtc->offset;
	case RTC_MR:
		return rtc->match;
	case RTC_LR:
		return rtc->load;
	case RTC_CR:
		return 1;
	case RTC_IMSC:
		return rtc->imsc;
	case RTC_RIS:
		return rtc->ris;
	case RTC_MIS:
		return rtc->ris & rtc->imsc;
	}
	if (offset >= RTC_ID)
		return pl031_id[(offset - RTC_ID) / 4];
	return 0;
}

static u64 rtc_read(void *opaque, u64 offset, unsigned int len)
{
	struct rtc *rtc = opaque;
	u32 value;

	(void)len;
	pthread_mutex_lock(&rtc->lock);
	value = read_register(rtc, offset & ~3ULL);
	pthread_mutex_unlock(&rtc->lock);
	return value;
}

static void write_register(struct rtc *rtc, u64 offset, u32 value)
{
	switch (offset) {
	case RTC_MR:
		rtc->match = value;
		set_alarm(rtc);
		break;
	case RTC_LR:
		rtc->load = value;
		rtc->offset = value - host_seconds();
		set_alarm(rtc);
		break;
	case RTC_IMSC:
		rtc->imsc = value & 1;
		break;
	case RTC_ICR:
		rtc->ris &= ~value;
		break;
	}
}

static void rtc_write(void *opaque, u64 offset, unsigned int len, u64 value)
{
	struct rtc *rtc = opaque;

	(void)len;
	pthread_mutex_lock(&rtc->lock);
	write_register(rtc, offset & ~3ULL, value);
	update_line(rtc);
	pthread_mutex_unlock(&rtc->lock);
}

struct rtc *rtc_create(struct vm *vm)
{
	struct rtc *rtc = xcalloc(1, sizeof(*rtc));

	rtc->vm = vm;
	pthread_mutex_init(&rtc->lock, NULL);
	rtc->alarm.ready = alarm_ready;
	rtc->alarm.fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (rtc->alarm.fd < 0 || !loop_add(&rtc->alarm))
		die("cannot make a timer: %s; raise the limit of open files (ulimit -n)",
		    strerror(errno));
	bus_add(&vm->bus, &(struct mmio_region) {
		.name = "rtc",
		.base = RTC_BASE,
		.size = RTC_SIZE,
		.read = rtc_read,
		.write = rtc_write,
		.opaque = rtc,
	});
	return rtc;
}

void rtc_destroy(struct rtc *rtc)
{
	close(rtc->alarm.fd);
	pthread_mutex_destroy(&rtc->lock);
	free(rtc);
}
