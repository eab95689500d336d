-- Reads a record, or reads and removes it.
-- KEYS  1 the key's record (hash)
-- ARGV  1 prefix of owner keys   2 '1': remove the record
-- Returns {milliseconds to live, '1' or '0': its owner is alive, field, value, ...}, or nothing.
-- Invariant: what is returned is what was removed.
local fields = redis.call('HGETALL', KEYS[1])
if #fields == 0 then
  return {}
end
local owner = redis.call('HGET', KEYS[1], 'owner')
local reply = {redis.call('PTTL', KEYS[1]), tostring(redis.call('EXISTS', ARGV[1] .. owner)), unpack(fields)}
if ARGV[2] == '1' then
  redis.call('DEL', KEYS[1])
end
return reply
