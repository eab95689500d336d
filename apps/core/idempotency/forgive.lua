-- Forgets that a job has failed, so that the same job may run again.
-- KEYS  1 the key's record (hash)
-- ARGV  1 job id
-- Returns 1, or 0 where there is no such failure: another job's, a result or a claim stays.
local record = redis.call('HMGET', KEYS[1], 'state', 'job')
if record[1] ~= 'failed' or record[2] ~= ARGV[1] then
  return 0
end
return redis.call('DEL', KEYS[1])
