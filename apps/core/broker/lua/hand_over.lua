-- Moves delayed messages into their lists before they are due, for stock workers, which delay them in memory.
-- ARGV  1 prefix   2 queue   3 how many at most
-- Returns how many.
-- Invariant: as move_due's.
local refused = refusal()
if refused then return redis.error_reply(refused) end
return move_due(ARGV[2], '+inf', tonumber(ARGV[3]))
