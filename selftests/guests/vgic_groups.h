/* SPDX-License-Identifier: GPL-2.0 */
/* What vgic_groups.c and its guest agree on. */
#ifndef VGIC_GROUPS_GUEST_H
#define VGIC_GROUPS_GUEST_H

#define PART_GROUPS		0
#define PART_GROUP_OFF		1
#define PART_DIR		2
#define PART_NESTED		3
#define PART_BINARY_POINT	4

#endif
