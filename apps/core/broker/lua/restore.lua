-- Puts a quarantined message back into its list, where it is claimed next.
-- ARGV  1 prefix   2 owner and lease under which it is kept   3 list   4 the message, as it was published
-- Returns 1, or 0 where it is not in quarantine any more.
-- Invariant: the message is in quarantine or in its list. A record is never changed, so what was read of it still holds.
local refused = refusal()
if refused then return redis.error_reply(refused) end
if redis.call('HEXISTS', QUARANTINE, ARGV[2]) == 0 then return 0 end
redis.call('RPUSH', P .. ARGV[3], ARGV[4])
redis.call('HDEL', QUARANTINE, ARGV[2])
count('published', queue_of(ARGV[3]), '-', task_of(headers_of(ARGV[4])))
write_counts()
return 1
