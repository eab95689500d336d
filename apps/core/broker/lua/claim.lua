-- Takes messages for an owner, in strict order of the queues, and arranges who waits where nothing is left.
-- ARGV  1 prefix   2 owner   3 number of this call of the owner's   4 how many messages at most   5 '1': the owner was
--       waiting   6 how many acknowledgements follow, each with its note or '', then the queues, first served first
-- Returns {'refused', reason} | {'silent'}: the owner has no sign of life, so it may hold nothing | {'stale'}: a later
--       call has been made | {'claimed', moment, last revocation or '', jobs in trouble, queues to watch,
--       moment the next delayed message of those is due or '', entries, {fused task, until when and why, ...}};
--       entry i is under the lease <call>-<i>
-- Invariant: a message is in its list or under a lease. A call that is made again because its reply was lost gets the
-- same leases; one that arrives after a later one gets nothing.
local owner, call, most, was_idle, acks = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5] == '1', tonumber(ARGV[6])
local key = leases_key(owner)
local queues = {unpack(ARGV, 7 + 2 * acks)}
local refused = refusal()

for i = 7, 5 + 2 * acks, 2 do acknowledge(owner, ARGV[i], ARGV[i + 1]) end
write_counts()
if refused then return {'refused', refused} end
if not is_alive(owner) then return {'silent'} end

local now = clock()
local function reply(watched, due, entries)
  local last = redis.call('ZRANGE', REVOKED, -1, -1, 'WITHSCORES')
  local fuses = redis.call('HGETALL', FUSES)
  return {'claimed', exact(now), last[2] or '', redis.call('HLEN', TROUBLES), watched, due, entries, fuses}
end

local function lease(place) return string.format('%.0f-%d', call, place) end

local last_call, last_count = string.match(redis.call('GET', call_key(owner)) or '0:0', '(%d+):(%d+)')
if call < tonumber(last_call) then return {'stale'} end
if call == tonumber(last_call) then
  local entries = {}
  for place = 1, tonumber(last_count) do entries[place] = redis.call('HGET', key, lease(place)) or '' end
  return reply({}, '', entries)
end

local open, entries = {}, {}
for _, queue in ipairs(queues) do
  if not is_paused(queue, now) then
    open[#open + 1] = queue
    move_due(queue, exact(now), BATCH)
    for _, step in ipairs(STEPS) do
      if #entries == most then break end
      local texts = redis.pcall('RPOP', P .. queue .. step, most - #entries)
      if texts and not texts.err then
        for _, text in ipairs(texts) do entries[#entries + 1] = queue .. step .. '\n' .. text end
      end
    end
  end
end

local taken = #entries
for start = 1, taken, BATCH do
  local fields = {}
  for place = start, math.min(start + BATCH - 1, taken) do
    fields[#fields + 1] = lease(place)
    fields[#fields + 1] = entries[place]
  end
  redis.call('HSET', key, unpack(fields))
end
if taken > 0 then redis.call('SADD', OWNERS, owner) end -- before its first pulse, if need be
redis.call('SET', call_key(owner), string.format('%.0f:%d', call, taken))

-- Who waits. An owner with free slots is idle on all its queues; the first of them is a queue's scout. An owner without
-- hands its watch over. Where something is left, one more owner is woken, who does the same.
local watched, next_due = {}, ''
local waits = taken < most
for _, queue in ipairs(open) do
  local scout = redis.call('GET', scout_key(queue))
  if waits then
    redis.call('SADD', idle_key(queue), owner)
    if not scout or scout == owner or not is_alive(scout) then
      redis.call('SET', scout_key(queue), owner)
      watched[#watched + 1] = queue
      local soonest = redis.call('ZRANGE', delayed_key(queue), 0, 0, 'WITHSCORES')[2]
      if soonest and (next_due == '' or tonumber(soonest) < tonumber(next_due)) then next_due = soonest end
    end
  else
    if was_idle or scout == owner then stop_waiting(owner, queue) end
    if scout ~= owner and redis.call('EXISTS', idle_key(queue)) == 1 and has_waiting(queue) then wake_one(queue) end
  end
end
return reply(watched, next_due, entries)
