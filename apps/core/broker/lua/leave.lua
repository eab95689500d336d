-- An owner ends: all that it still holds goes back, at once and without blame.
-- ARGV  1 prefix   2 owner   3... queues it served
-- Returns how many leases went back.
-- Invariant: an owner without a sign of life holds nothing new, so a claim of its that is still on the way takes nothing.
local owner = ARGV[2]
local refused = refusal()
if refused then return redis.error_reply(refused) end
local returned = put_back(owner, redis.call('HKEYS', leases_key(owner)), '')
redis.call('DEL', owner_key(owner), wake_key(owner), call_key(owner), card_key(owner), begun_key(owner))
if redis.call('EXISTS', leases_key(owner)) == 0 then redis.call('SREM', OWNERS, owner) end
for i = 3, #ARGV do
  stop_waiting(owner, ARGV[i])
  wake_one(ARGV[i])
end
return returned
