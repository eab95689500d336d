-- Takes over one message that a stock Redis worker has claimed and not acknowledged.
-- ARGV  1 prefix   2 its delivery tag   3 the value that was read under it   4 list   5 the message
-- Returns 1, or 0 where it has been acknowledged or taken over meanwhile.
-- Invariant: the message is in stock's hash or in its list.
local unacked = P .. 'unacked'
local refused = refusal()
if refused then return redis.error_reply(refused) end
if redis.call('HGET', unacked, ARGV[2]) ~= ARGV[3] then return 0 end
redis.call('RPUSH', P .. ARGV[4], ARGV[5])
redis.call('HDEL', unacked, ARGV[2])
redis.call('ZREM', P .. 'unacked_index', ARGV[2])
return 1
