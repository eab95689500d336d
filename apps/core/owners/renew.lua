-- Says that processes are alive.
-- KEYS  one per process: its owner key
-- ARGV  1: milliseconds until a silent owner counts as dead
-- Returns the number of owners renewed.
-- Invariant: an owner key exists if and only if its process has been heard of in the last ARGV[1] milliseconds.
-- PEXPIRE comes first because a server that is out of memory still accepts it; SET follows for keys that are gone.
local renewed = 0
for _, key in ipairs(KEYS) do
  if redis.call('PEXPIRE', key, ARGV[1]) == 1 then
    renewed = renewed + 1
  else
    local reply = redis.pcall('SET', key, '1', 'PX', ARGV[1])
    if not reply.err then
      renewed = renewed + 1
    end
  end
end
return renewed
