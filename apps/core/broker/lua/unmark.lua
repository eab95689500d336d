-- A message is about to leave for good: others may take its unique key.
-- ARGV  1 prefix   2 queue   3 the unique key   4 its job and its tag, as they were noted
-- Returns 1 where the key was this message's, else 0.
-- Invariant: the message of a retry, which is published before the one before it ends, keeps the key.
if redis.call('HGET', unique_key(ARGV[2]), ARGV[3]) ~= ARGV[4] then return 0 end
return redis.call('HDEL', unique_key(ARGV[2]), ARGV[3])
