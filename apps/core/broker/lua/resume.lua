-- Ends a pause.
-- ARGV  1 prefix   2 queue
-- Returns 1 where the queue was paused, else 0.
-- Invariant: what waited meanwhile is noticed at once, since nobody watches a paused queue.
local queue = ARGV[2]
local was_paused = redis.call('HDEL', PAUSED, queue)
local scout = redis.call('GET', scout_key(queue))
if scout and is_alive(scout) then wake(scout, queue) else wake_one(queue) end
return was_paused
