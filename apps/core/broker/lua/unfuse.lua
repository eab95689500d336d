-- Ends a task's fuse; a portion of the jobs that are parked go on, at a rate that grows by one a second each second.
-- ARGV  1 prefix   2 task   3 how many at most   4 how many have gone on before
-- Returns {'1' where it was lit, how many go on}
-- Invariant: a job has one place, the delayed set; only its moment changes.
local task = ARGV[2]
local lit = redis.call('HDEL', FUSES, task)
local parked = redis.call('ZPOPMIN', fused_key(task), ARGV[3])
local now, moved = clock(), tonumber(ARGV[4])
for i = 1, #parked, 2 do
  local key = delayed_key(queue_of((split(parked[i]))))
  if redis.call('ZSCORE', key, parked[i]) then
    redis.call('ZADD', key, 'XX', exact(now + math.sqrt(2 * moved)), parked[i])
    moved = moved + 1
  end
end
return {tostring(lit), moved - tonumber(ARGV[4]), #parked / 2}
