-- Jobs are done: their leases end, and with them their messages.
-- ARGV  1 prefix   2 owner   then for each: its lease, and its note or ''
-- Returns how many leases ended.
-- Invariant: a job counts if and only if its message goes. The first command that writes is one that a full server takes.
local ended = 0
for i = 3, #ARGV, 2 do ended = ended + acknowledge(ARGV[2], ARGV[i], ARGV[i + 1]) end
write_counts()
return ended
