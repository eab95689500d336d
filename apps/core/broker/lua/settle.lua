-- Ends leases other than by acknowledgement.
-- ARGV  1 prefix   2 owner   3 what: 'back', 'lost', 'delay', 'park' or 'quarantine'   then
--       back: event to note or '', leases...        to the head of their lists
--       lost: event to note, note, lease            likewise: its attempt has died
--       delay: moment due, queue, tag or '', lease  into the delayed set; the tag is of a message that carries no time
--       park: task, queue, lease                    into the delayed set, until the task's fuse has ended
--       quarantine: record, note, lease             out of the way, with all that is known of it
-- Returns how many leases ended; one that the owner does not hold any more is left alone.
-- Invariant: a message leaves its lease in the step in which it arrives elsewhere, and only its owner moves it.
local owner, what = ARGV[2], ARGV[3]
local key = leases_key(owner)
local refused = refusal()
if refused then return redis.error_reply(refused) end

if what == 'back' then
  for i = 5, #ARGV do forget_begun(owner, ARGV[i]) end
  return put_back(owner, {unpack(ARGV, 5)}, ARGV[4])
end

local lease = ARGV[#ARGV]
local entry = redis.call('HGET', key, lease)
if not entry then return 0 end
if what == 'lost' then
  if put_back(owner, {lease}, ARGV[4]) == 0 then return 0 end
  note_end(owner, lease, ARGV[5])
  write_counts()
  return 1
end
if what == 'park' then
  -- After t seconds t^2 / 2 jobs are due, so their rate grows by one job a second each second, as behind a breaker.
  local task, queue = ARGV[4], ARGV[5]
  local fuse = redis.call('HGET', FUSES, task)
  local ends = math.max(tonumber(string.match(fuse or '', '^[%d.]+') or 0), clock())
  local due = ends + math.sqrt(2 * redis.call('ZCARD', fused_key(task)))
  redis.call('ZADD', fused_key(task), exact(due), entry)
  redis.call('EXPIRE', fused_key(task), math.ceil(due - clock()) + 60)
  redis.call('ZADD', delayed_key(queue), exact(due), entry)
  count('fused', queue, '-', task)
elseif what == 'delay' then
  redis.call('ZADD', delayed_key(ARGV[5]), ARGV[4], entry)
  if ARGV[6] ~= '' then redis.call('HSETNX', SEEN, ARGV[6], exact(clock())) end
else
  redis.call('HSET', QUARANTINE, owner .. ' ' .. lease, ARGV[4])
  note_end(owner, lease, ARGV[5])
end
redis.call('HDEL', key, lease)
write_counts()
return 1
