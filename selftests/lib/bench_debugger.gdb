# SPDX-License-Identifier: GPL-2.0
# What gdb does with "bench_debugger debuggee", in a Linux guest: it steps, and stops at breakpoints
# and a watchpoint whose conditions never hold. Status 3: it came to the end.
set pagination off
set confirm off
set can-use-hw-watchpoints 1

tbreak *next_stage
run debuggee >debuggee.out
set $batch = batches
while $batch >= 0
  tbreak *stepped
  continue
  stepi 58
  set $batch = $batch - 1
end

tbreak *next_stage
continue
break *probed if $x0 == -1

tbreak *next_stage
continue
delete
hbreak *probed if $x0 == -1

tbreak *next_stage
continue
delete
watch watched if watched == 0

continue
quit 3
