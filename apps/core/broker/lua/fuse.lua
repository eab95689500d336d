-- Lights a task's fuse: its jobs are parked where they are claimed, until it ends.
-- ARGV  1 prefix   2 task   3 seconds   4 who and why
-- Returns the moment it ends.
-- Invariant: each claim tells of the fuses, so one holds for every worker at once, also for one that starts later.
local ends = exact(clock() + tonumber(ARGV[3]))
redis.call('HSET', FUSES, ARGV[2], ends .. '\n' .. ARGV[4])
return ends
