-- Which messages of a portion of a list, or of a delayed set, mention a text.
-- ARGV  1 prefix   2 the text   3 key   4 how many come before the portion, in the order in which they are claimed
--       5 how many there are in it
-- Returns {how many come before it, entry, moment it is due or '', and so on}
-- Invariant: nothing is changed. The work grows with the portion alone, and only what is found is sent.
local needle, key, start, count = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local found = {}
local kind = redis.call('TYPE', key).ok
if kind == 'list' then -- the end is claimed first
  local texts = redis.call('LRANGE', key, -start - count, -start - 1)
  for i = #texts, 1, -1 do
    if string.find(texts[i], needle, 1, true) then
      found[#found + 1] = start + #texts - i
      found[#found + 1] = texts[i]
      found[#found + 1] = ''
    end
  end
elseif kind == 'zset' then
  for i, entry in ipairs(redis.call('ZRANGE', key, start, start + count - 1)) do
    if string.find(entry, needle, 1, true) then
      found[#found + 1] = start + i - 1
      found[#found + 1] = entry
      found[#found + 1] = redis.call('ZSCORE', key, entry)
    end
  end
end
return found
