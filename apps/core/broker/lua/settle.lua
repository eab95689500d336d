-- Ends leases other than by acknowledgement.
-- ARGV  1 prefix   2 owner   3 what: 'back', 'delay' or 'quarantine'   then
--       back: event to note or '', leases...        to the head of their lists
--       delay: moment due, queue, tag or '', lease  into the delayed set; the tag is of a message that carries no time
--       quarantine: record, lease                   out of the way, with all that is known of it
-- Returns how many leases ended; one that the owner does not hold any more is left alone.
-- Invariant: a message leaves its lease in the step in which it arrives elsewhere, and only its owner moves it.
local owner, what = ARGV[2], ARGV[3]
local key = leases_key(owner)
local refused = refusal()
if refused then return redis.error_reply(refused) end

if what == 'back' then
  return put_back(owner, {unpack(ARGV, 5)}, ARGV[4])
end

local lease = ARGV[#ARGV]
local entry = redis.call('HGET', key, lease)
if not entry then return 0 end
if what == 'delay' then
  redis.call('ZADD', delayed_key(ARGV[5]), ARGV[4], entry)
  if ARGV[6] ~= '' then redis.call('HSETNX', SEEN, ARGV[6], exact(clock())) end
else
  redis.call('HSET', QUARANTINE, owner .. ' ' .. lease, ARGV[4])
end
redis.call('HDEL', key, lease)
return 1
