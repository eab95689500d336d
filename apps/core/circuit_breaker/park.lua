-- Gives a job the moment at which it asks again: behind the probe, in a queue that moves faster and faster.
-- ARGV  1 service   2 job
-- Returns that moment.
-- Invariant: after t seconds t^2 / 2 jobs are due, so their rate grows by one job a second each second: number n, from
-- 0, is due after sqrt(2 n) seconds. No number is given out twice behind the same probe, and a job has one place.
local job = ARGV[2]
redis.call('ZREMRANGEBYSCORE', PARKED, '-inf', exact(now)) -- these ask by now
if is_closed() then return exact(now) end
local due = redis.call('ZSCORE', PARKED, job)
if due then return exact(tonumber(due)) end
local number = redis.call('HINCRBY', RECORD, 'number', 1) - 1
due = math.max(now, tonumber(get('probe_at'))) + math.sqrt(2 * number)
redis.call('ZADD', PARKED, exact(due), job)
redis.call('PEXPIREAT', PARKED, string.format('%.0f', 1000 * redis.call('ZRANGE', PARKED, -1, -1, 'WITHSCORES')[2]))
return exact(due)
