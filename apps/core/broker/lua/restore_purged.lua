-- Puts purged messages back where they were, to be claimed before what has come since; a portion of them.
-- ARGV  1 prefix   2 queue   3 how many at most
-- Returns {how many went back, '1' where there may be more}
-- Invariant: a message is in one list, in its order. The latest purge comes back first.
local queue, most = ARGV[2], tonumber(ARGV[3])
local refused = refusal()
if refused then return redis.error_reply(refused) end
local aside = redis.call('ZRANGE', purges_key(queue), -1, -1)[1]
if not aside then return {0, '0'} end
local list = P .. queue
for _, step in ipairs(STEPS) do
  if step ~= '' and string.sub(aside, -#step) == step then list = list .. step end
end
local moved = 0
while moved < most and redis.call('LMOVE', aside, list, 'LEFT', 'RIGHT') do moved = moved + 1 end
if moved < most then redis.call('ZREM', purges_key(queue), aside) end
if moved > 0 then
  count('restored', queue, '-', '-', moved)
  write_counts()
  if not redis.call('GET', scout_key(queue)) then wake_one(queue) end
end
return {moved, redis.call('EXISTS', purges_key(queue)) == 1 and '1' or '0'}
