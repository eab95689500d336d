-- Enqueues messages: each into its list, or into the delayed set while it is not due.
-- ARGV  1 prefix   2 seconds for which it is remembered that a message was published   3 '1': each has a row in the
--       outbox, which remembers it instead   then for each message
--       queue, list, the message without its closing brace, moment it is due or 0, its tag, its job, its unique key or '',
--       its task
-- Returns for each message: the moment from which its wait counts, or '' where it had been published before, or
--       '=' and the job that waits or runs under its unique key already, in whose favour it was not published.
-- Invariant: a message is in one place, carries the server's time as "ready_at" behind all else, and is published once
-- however often that is tried. One with a row is published also where another job has its unique key: it has been
-- promised. Nothing is written before it is known that the server takes writes.
local kept, has_rows = ARGV[2], ARGV[3] == '1'
local refused = refusal()
if refused then return redis.error_reply(refused) end
local now = clock()
local reply = {}

local function is_new(tag)
  if tag == '' then return true end
  if redis.call('EXISTS', published_key(tag)) == 1 then return false end
  if has_rows then return redis.call('SADD', OUTBOX, tag) == 1 end
  redis.call('SET', published_key(tag), '', 'EX', kept)
  return true
end

local function enqueue(queue, list, text, due)
  local ready_at = math.max(now, due)
  text = text .. ', "ready_at": ' .. exact(ready_at) .. '}'
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
end

for i = 4, #ARGV, 8 do
  local queue, list, text, due, tag, job, unique, task = unpack(ARGV, i, i + 7)
  local holder = unique ~= '' and redis.call('HGET', unique_key(queue), unique)
  holder = holder and string.match(holder, '^(.*) ')
  if holder and holder ~= job and not has_rows then
    reply[#reply + 1] = '=' .. holder
  elseif not is_new(tag) then
    reply[#reply + 1] = ''
  else
    if unique ~= '' and (not holder or holder == job) then
      redis.call('HSET', unique_key(queue), unique, job .. ' ' .. tag)
    end
    reply[#reply + 1] = enqueue(queue, list, text, tonumber(due))
    count('published', queue, '-', task)
  end
end
write_counts()
return reply
