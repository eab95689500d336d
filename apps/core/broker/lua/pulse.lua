-- Once a second from each process that consumes: says that it lives, moves what is due, and gives back what the dead held.
-- ARGV  1 prefix   2 milliseconds until a silent owner counts as dead   3 seconds a silent owner is suspected before its
--       leases move   4 how many processes follow that this one speaks for, then their owners, itself first
--       then how many of its own queues follow, then those, then all queues of the installation
-- Returns {moment, reason for refusing writes or '', '1' where a claim is worth while, {owner, number of leases, ...} rescued}
-- Invariant: leases move only when their owner has been silent for ARGV[2] and was seen silent twice, ARGV[3] apart, by a
-- server that has been up, or master, for as long. A server that takes no writes is asked first, since it refuses a script
-- nothing more once that has written; the renewal that follows begins with PEXPIRE, which a full server accepts.
local dead_after, patience, count = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local self = ARGV[5]
local refused = refusal()
for i = 5, 4 + count do
  if redis.pcall('PEXPIRE', owner_key(ARGV[i]), dead_after) == 0 then
    redis.pcall('SET', owner_key(ARGV[i]), '1', 'PX', dead_after)
  end
end

local now = clock()
if refused then return {exact(now), refused, '0', {}} end
redis.call('SADD', OWNERS, self)

local own_queues = 6 + count
local all_queues = own_queues + tonumber(ARGV[5 + count])
for i = all_queues, #ARGV do move_due(ARGV[i], exact(now), BATCH) end

local rescued = {}
local quiet = redis.call('EXISTS', QUIET) == 1
for _, owner in ipairs(redis.call('SMEMBERS', OWNERS)) do
  if owner == self or is_alive(owner) then
    redis.call('HDEL', SUSPECTS, owner)
  else
    local since = redis.call('HGET', SUSPECTS, owner)
    if not since then
      redis.call('HSET', SUSPECTS, owner, exact(now))
    elseif not quiet and now - tonumber(since) >= patience then
      local returned = put_back(owner, redis.call('HKEYS', leases_key(owner)), exact(now) .. ' worker_lost ' .. owner)
      rescued[#rescued + 1] = owner
      rescued[#rescued + 1] = returned
      if redis.call('EXISTS', leases_key(owner)) == 0 then
        redis.call('SREM', OWNERS, owner)
        redis.call('HDEL', SUSPECTS, owner)
        redis.call('EXPIRE', call_key(owner), CALL_KEPT)
      end
    end
  end
end

local worth_while = '0'
for i = own_queues, all_queues - 1 do
  local queue = ARGV[i]
  if not is_paused(queue, now) then
    local scout = redis.call('GET', scout_key(queue))
    if has_waiting(queue) or not scout or not is_alive(scout) then worth_while = '1' end
    -- What was enqueued for later than its scout knew of: the claim tells it when to wake.
    local soonest = scout == self and redis.call('ZRANGE', delayed_key(queue), 0, 0, 'WITHSCORES')[2]
    if soonest and tonumber(soonest) < now + 2 then worth_while = '1' end
  end
end
return {exact(now), '', worth_while, rescued}
