-- Claims a key for a job, or tells what stands in the way.
-- KEYS  1 the key's record (hash)   2 the fence (string: the last number given out)   3 exists while
--       nobody counts as dead
-- ARGV  1 job id   2 owner id   3 number of this call of the owner's   4 milliseconds a claim is kept   5 prefix of
--       owner keys   6 fence of a holder known to be gone, or ''
-- Returns {'claimed', fence, attempt}
--       | {'held', state, job, owner, fence, since, '1' or '0': its owner is alive}
--       | {'succeeded', job, result} | {'failed', job, error class, message}
-- Invariant: at most one claim of a key is live, a finished record never changes, and fences only grow.
-- Whoever asks again with the same number has lost the first reply and gets it once more.
local record = redis.call('HMGET', KEYS[1], 'state', 'job', 'owner', 'fence', 'since', 'attempt', 'token')
local state, job, owner, fence, since, attempt, token = unpack(record)

if state == 'succeeded' then
  return {'succeeded', job, redis.call('HGET', KEYS[1], 'result')}
end
if state == 'failed' then
  return {'failed', job, redis.call('HGET', KEYS[1], 'error'), redis.call('HGET', KEYS[1], 'message')}
end

local function alive()
  if fence == ARGV[6] then
    return false
  end
  if redis.call('EXISTS', ARGV[5] .. owner) == 1 then
    return true
  end
  -- A server that has just come back, or has just become the master, has not heard of everybody yet.
  return redis.call('EXISTS', KEYS[3]) == 1
end

if state == 'running' then
  if owner == ARGV[2] and token == ARGV[3] then
    return {'claimed', fence, attempt}
  end
  if alive() then
    return {'held', state, job, owner, fence, since, '1'}
  end
elseif state == 'waiting_retry' and job ~= ARGV[1] then
  return {'held', state, job, owner, fence, since, '0'}
end

local time = redis.call('TIME')
local next_fence = redis.call('INCR', KEYS[2])
if next_fence < 1e15 then
  -- A new counter starts at the clock, in microseconds: fences grow even where an old one was lost.
  next_fence = tonumber(time[1]) * 1000000 + tonumber(time[2])
  redis.call('SET', KEYS[2], string.format('%.0f', next_fence))
end
next_fence = string.format('%.0f', next_fence)
local next_attempt = string.format('%d', tonumber(attempt or '0') + 1)
redis.call('HSET', KEYS[1], 'state', 'running', 'job', ARGV[1], 'owner', ARGV[2], 'fence', next_fence,
  'since', time[1], 'attempt', next_attempt, 'token', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {'claimed', next_fence, next_attempt}
