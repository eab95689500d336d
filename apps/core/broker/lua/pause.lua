-- Pauses a queue: nothing of it is claimed any more; what is claimed already runs on.
-- ARGV  1 prefix   2 queue   3 seconds, or 0 for until it is resumed   4 who and why
-- Returns the moment the pause ends, or 0.
-- Invariant: the claim itself looks here, so a pause holds for every worker at once, also for one that starts later.
local seconds = tonumber(ARGV[3])
local until_when = seconds > 0 and exact(clock() + seconds) or '0'
redis.call('HSET', PAUSED, ARGV[2], until_when .. '\n' .. ARGV[4])
return until_when
