/* SPDX-License-Identifier: GPL-2.0 */
/* The clock: Arm PrimeCell PL031. */
#ifndef KEELRUN_RTC_H
#define KEELRUN_RTC_H

struct rtc;
struct vm;

/**
 * rtc_create() - add a clock to a VM
 * @vm: the VM
 *
 * Return: the clock, which starts with the host's time.
 */
struct rtc *rtc_create(struct vm *vm);

/**
 * rtc_destroy() - free the clock
 * @rtc: the clock of a VM that has ended
 */
void rtc_destroy(struct rtc *rtc);

#endif
