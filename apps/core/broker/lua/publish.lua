-- Enqueues one message: into its list, or into the delayed set while it is not due.
-- ARGV  1 prefix   2 queue   3 list   4 the message without its closing brace   5 moment it is due, or 0
-- Returns the moment from which its wait counts.
-- Invariant: the message is in one place, and carries the server's time as "ready_at" behind all else.
local queue, list, due = ARGV[2], ARGV[3], tonumber(ARGV[5])
local now = clock()
local ready_at = math.max(now, due)
local text = ARGV[4] .. ', "ready_at": ' .. exact(ready_at) .. '}'
if due <= now then
  redis.call('LPUSH', P .. list, text)
  return exact(ready_at)
end
redis.call('ZADD', delayed_key(queue), exact(due), list .. '\n' .. text)
if due < now + 2 then -- sooner than its scout's next look
  local scout = redis.call('GET', scout_key(queue))
  if scout then wake(scout, queue) end
end
return exact(ready_at)
