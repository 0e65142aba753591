/* SPDX-License-Identifier: GPL-2.0 */
/* What vgic_priority.c and its guest agree on. */
#ifndef GUESTS_VGIC_PRIORITY_H
#define GUESTS_VGIC_PRIORITY_H

#define PART_MASK		0
#define PART_RUNNING		1
#define PART_GROUPS		2
#define PART_BINARY_POINT_0	3
#define PART_COMMON_POINT	4
#define PART_CROWD		5	/* 2 vCPUs */
#define PART_DROPPED		6

#endif
