# SPDX-License-Identifier: GPL-2.0
# What gdb does with backdoor_debuggee, in a Linux guest with the doors dcc and brk open. Status 3:
# everything was as it should be; gdb itself ends with 0 or 1 whatever goes wrong.
set pagination off
set confirm off
set width 0
set can-use-hw-watchpoints 1

# require CONDITION, written without spaces
define require
  if !($arg0)
    info registers pc x0 x1 x2 x9
    info breakpoints
    printf "not so: %s\n", "$arg0"
    quit 2
  end
end

# stepi_to ADDRESS
define stepi_to
  stepi
  require $pc==(long)($arg0)
end

# --- Software breakpoint: rounds 0 to 2 ---
break work
run >debuggee.out
require $pc==(long)&work&&$x0==0
finish
require $x0==1&&watched==0
continue
require $pc==(long)&work&&$x0==1&&watched==1
continue
require $pc==(long)&work&&$x0==2&&watched==3
delete

# One at the instruction of the door, that gdb steps over each time: rounds 2 and 3
break *insn_dcc
continue
require $pc==(long)insn_dcc&&watched==8
continue
require $pc==(long)insn_dcc&&watched==18
delete

# --- Steps: over the instruction of the door, which is done with it ---
require (unsigned)$x0==0x564d5868&&(unsigned)$x1!=0x564d5868
stepi_to (long)insn_dcc+4
require $x0==6&&$x1==0x564d5868&&$x2==4
stepi_to (long)backdoor_go+4
stepi_to (long)backdoor_go+8
stepi_to (long)backdoor_go+12

# Over the BRK's: while it is stepped it is the guest's own, as without the door. Round 3.
tbreak *backdoor_go
continue
require $pc==(long)backdoor_go&&$x9==(long)insn_brk
stepi_to insn_brk
stepi
require $pc==(long)insn_brk&&(unsigned)$x0==0x564d5868&&$_siginfo.si_code==1

# Not stepped any more it is a call.
tbreak *(long)backdoor_go+4
continue
require $pc==(long)backdoor_go+4&&$x0==6&&$x1==0x564d5868&&$x2==4

# --- Hardware breakpoint: rounds 4 and 5 ---
hbreak work
continue
require $pc==(long)&work&&$x0==4&&$_siginfo.si_code==4
# BRK is the guest's own while it is set, but MRS a call.
continue
require $pc==(long)insn_brk&&(unsigned)$x0==0x564d5868&&$_siginfo.si_code==1&&watched==35
delete
tbreak *(long)backdoor_go+4
continue
require $pc==(long)backdoor_go+4&&$x0==6&&$x1==0x564d5868&&$x2==4
# On the instruction of the other door. Round 5.
hbreak *insn_dcc
continue
require $pc==(long)insn_dcc&&$_siginfo.si_code==4&&watched==61
stepi_to (long)insn_dcc+4
require $x0==6&&$x1==0x564d5868&&$x2==4
delete

# --- Watchpoints: rounds 6 and 7 ---
tbreak work
continue
require $x0==6
watch watched
info watchpoints
continue
require watched==98
delete
tbreak work
continue
require $x0==7
awatch watched
continue
require watched==98
continue
require watched==148
delete

# --- To the end ---
continue
require $_exitcode==0
quit 3
