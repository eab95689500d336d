-- What waits, is delayed and is leased of each queue.
-- ARGV  1 prefix   2 seconds for which it is remembered when a message was first seen   3... queues
-- Returns {moment, then for each queue {ready, delayed, leased, moment the oldest wait counts from or '', pause or ''}}
-- Invariant: the work grows with the leases, never with what waits. A stock producer's message, which carries no
-- "ready_at", is stamped when it is first seen at the end of its list; the stamp goes when the message is claimed.
local now = clock()

local leased = {}
for _, owner in ipairs(redis.call('SMEMBERS', OWNERS)) do
  for _, entry in ipairs(redis.call('HVALS', leases_key(owner))) do
    local list = split(entry)
    local queue = string.match(list, '^(.*)\6\22%d+$') or list
    leased[queue] = (leased[queue] or 0) + 1
  end
end

-- The moment from which the wait of this message counts; nil where it cannot be read. A server that takes no writes
-- remembers nothing: there it counts from now.
local function waits_since(text)
  local ready_at = string.match(text, '"ready_at": ([%d.]+)}$')
  if ready_at then return tonumber(ready_at) end
  local decoded, message = pcall(cjson.decode, text)
  if not decoded or type(message) ~= 'table' then return nil end
  local headers, properties = message.headers, message.properties
  local stamped = type(headers) == 'table' and headers.bgjobs_ready_at -- enqueued by this project on a redis:// URL
  if type(stamped) == 'number' then return stamped end
  local tag = type(properties) == 'table' and properties.delivery_tag
  if type(tag) ~= 'string' then return nil end
  redis.pcall('HSETNX', SEEN, tag, exact(now))
  redis.pcall('EXPIRE', SEEN, ARGV[2])
  return tonumber(redis.call('HGET', SEEN, tag) or now)
end

local reply = {exact(now)}
for i = 3, #ARGV do
  local queue, ready, oldest = ARGV[i], 0, nil
  for _, step in ipairs(STEPS) do
    local length = redis.pcall('LLEN', P .. queue .. step)
    if type(length) == 'number' and length > 0 then
      ready = ready + length
      local since = waits_since(redis.call('LINDEX', P .. queue .. step, -1))
      if since and (not oldest or since < oldest) then oldest = since end
    end
  end
  reply[#reply + 1] = {
    ready,
    redis.call('ZCARD', delayed_key(queue)),
    leased[queue] or 0,
    oldest and exact(oldest) or '',
    is_paused(queue, now) and redis.call('HGET', PAUSED, queue) or '',
  }
end
return reply
