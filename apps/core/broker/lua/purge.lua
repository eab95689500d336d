-- Sets the waiting messages of a queue aside.
-- ARGV  1 prefix   2 queue   3 seconds for which they are kept
-- Returns how many.
-- Invariant: the lists are renamed, not read, so nothing that is pushed meanwhile is lost. No purged job keeps its
-- unique key; neither do jobs of the queue that run, whose duplicates are then found when they start.
local queue, purged = ARGV[2], 0
local aside = P .. 'bgjobs:purged:' .. queue .. ':' .. exact(clock())
for _, step in ipairs(STEPS) do
  local list = P .. queue .. step
  local length = redis.call('LLEN', list)
  if length > 0 then
    redis.call('RENAME', list, aside .. step)
    redis.call('EXPIRE', aside .. step, ARGV[3])
    redis.call('ZADD', purges_key(queue), exact(clock()), aside .. step)
    purged = purged + length
  end
end
redis.call('DEL', unique_key(queue))
if purged > 0 then
  redis.call('EXPIRE', purges_key(queue), ARGV[3])
  count('purged', queue, '-', '-', purged)
  write_counts()
end
return purged
