-- Once a second from each process that consumes: says that it lives, moves what is due, and gives back what the dead held.
-- ARGV  1 prefix   2 milliseconds until a silent owner counts as dead   3 seconds a silent owner is suspected before its
--       leases move   4 how many processes follow that this one speaks for, then their owners, itself first
--       then how many of its own queues follow, then those
--       then its card or '', how many of its attempts have begun since it last told, then their leases, queues and tasks
--       then all queues of the installation
-- Returns {moment, reason for refusing writes or '', '1' where a claim is worth while, {owner, number of leases, ...} rescued}
-- Invariant: leases move only when their owner has been silent for ARGV[2] and was seen silent twice, ARGV[3] apart, by a
-- server that has been up, or master, for as long. A server that takes no writes is asked first, since it refuses a script
-- nothing more once that has written; the renewal that follows begins with PEXPIRE, which a full server accepts.
local dead_after, patience, owners = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local self = ARGV[5]
local refused = refusal()
for i = 5, 4 + owners do
  if redis.pcall('PEXPIRE', owner_key(ARGV[i]), dead_after) == 0 then
    redis.pcall('SET', owner_key(ARGV[i]), '1', 'PX', dead_after)
  end
end

local now = clock()
if refused then return {exact(now), refused, '0', {}} end
redis.call('SADD', OWNERS, self)

local own_queues = 6 + owners
local card = own_queues + tonumber(ARGV[5 + owners])
local begun = card + 2
local all_queues = begun + 3 * tonumber(ARGV[card + 1])
for i = all_queues, #ARGV do move_due(ARGV[i], exact(now), BATCH) end

if ARGV[card] ~= '' then redis.call('SET', card_key(self), ARGV[card], 'PX', dead_after) end
for i = begun, all_queues - 1, 3 do
  local lease, queue, task = unpack(ARGV, i, i + 2)
  if redis.call('HEXISTS', leases_key(self), lease) == 1 and redis.pcall('HSETNX', begun_key(self), lease, '1') == 1 then
    count('started', queue, '-', task)
  end
end

-- An attempt was lost with its process.
local function note_rescue(owner, lease, list, text, silent, now)
  local headers, queue = headers_of(text), queue_of(list)
  local task = task_of(headers)
  count('rescued', queue, '-', task)
  local place = #EDGES
  for i = #EDGES, 1, -1 do
    if silent / 1000000 <= EDGES[i] then place = i - 1 end
  end
  count('rescue_le', queue, string.format('%d', place), task)
  count('rescue_us', queue, '-', task, silent)
  local told = cjson.encode({job = type(headers.id) == 'string' and headers.id or nil, ended_at = now, owner = owner})
  keep_note(owner, lease, 'lost - ' .. queue .. ' - - - - ' .. task .. '\n- - -\n' .. told)
end

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
      local silent = (now - tonumber(since)) * 1000000 + tonumber(dead_after) * 1000
      local returned = put_back(
        owner,
        redis.call('HKEYS', leases_key(owner)),
        exact(now) .. ' worker_lost ' .. owner,
        function(lease, list, text) note_rescue(owner, lease, list, text, silent, now) end
      )
      rescued[#rescued + 1] = owner
      rescued[#rescued + 1] = returned
      if redis.call('EXISTS', leases_key(owner)) == 0 then
        redis.call('SREM', OWNERS, owner)
        redis.call('HDEL', SUSPECTS, owner)
        redis.call('DEL', begun_key(owner))
        redis.call('EXPIRE', call_key(owner), CALL_KEPT)
      end
    end
  end
end

local worth_while = '0'
for i = own_queues, card - 1 do
  local queue = ARGV[i]
  if not is_paused(queue, now) then
    local scout = redis.call('GET', scout_key(queue))
    if has_waiting(queue) or not scout or not is_alive(scout) then worth_while = '1' end
    -- What was enqueued for later than its scout knew of: the claim tells it when to wake.
    local soonest = scout == self and redis.call('ZRANGE', delayed_key(queue), 0, 0, 'WITHSCORES')[2]
    if soonest and tonumber(soonest) < now + 2 then worth_while = '1' end
  end
end
write_counts()
return {exact(now), '', worth_while, rescued}
