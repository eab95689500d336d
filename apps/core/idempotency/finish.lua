-- Ends a claim: with a result, with a failure, or until the job's retry.
-- KEYS  1 the key's record (hash)
-- ARGV  1 the claim's fence   2 new state: succeeded, failed or waiting_retry   3 milliseconds to keep the record
--       4... field and value pairs to store
-- Returns 1, 0 where somebody else has the key, or -1 where there is no record any more.
-- Invariant: only the holder of the latest fence can end a claim, and only once.
local current = redis.call('HMGET', KEYS[1], 'state', 'fence')
if not current[1] then
  return -1
end
if current[1] ~= 'running' or current[2] ~= ARGV[1] then
  -- The same end once more: its first reply was lost.
  return (current[1] == ARGV[2] and current[2] == ARGV[1]) and 1 or 0
end
redis.call('HSET', KEYS[1], 'state', ARGV[2], unpack(ARGV, 4))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
