-- Counting, in the same step in which the thing that counts happens. It is put in front of every other script, behind
-- the common part. What a script counts is gathered by `count` and written once, by `write_counts`, at its end.
--   bgjobs:counts:m:<minute>   hash: "<event> <queue> <reason> <task>" -> how many
--   bgjobs:counts:open         the minute that is counted into; when it is over it is added to the next three
--   bgjobs:counts:h:<hour>, :d:<day>, :total   likewise, of minutes that are over
--   bgjobs:runs           stream of ended attempts: o = their owner, then lease and note of each; the history is made of it
--   bgjobs:begun:<owner>  hash: leases whose attempts have begun, and were counted as started before their end
-- A note has three lines, with "-" for what there is not:
--   <event> <reason> <queue> <place of its wait> <place of its run> <outcome of its check> <place of that> <task>
--   <wait> <run> <check>    in microseconds; their places are those among the edges of the histograms
--   a JSON object, which is only kept
-- EDGES, RUNS_KEPT and RUNS_TOGETHER are those of metrics/events.py.
-- Nothing here ever makes a script fail.
local RUNS = P .. 'bgjobs:runs'
-- For how many seconds a bucket is kept, and how many fields it has at most before tasks are counted together.
local MINUTE = {kept = 262800, most = 1000}
local HOUR = {kept = 266400, most = 5000}
local DAY = {kept = 7862400, most = 20000}
local TOTAL = {most = 20000}
local OPEN = P .. 'bgjobs:counts:open'

local counted = {}
local function count(event, queue, reason, task, number)
  local field = event .. ' ' .. queue .. ' ' .. reason .. ' ' .. task
  counted[field] = (counted[field] or 0) + (number or 1)
end

-- Ends of attempts, those together that count alike: first line of their notes -> how many, and so on.
local ends, known_begun, waits, runs, checks = {}, {}, {}, {}, {}

local function count_ends()
  for head, number in pairs(ends) do
    local pattern = '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (.*)$'
    local event, reason, queue, waited, ran, check, checked, task = string.match(head, pattern)
    if event then
      count(event, queue, reason, task, number)
      if ran ~= '-' then
        if number > known_begun[head] then count('started', queue, '-', task, number - known_begun[head]) end
        count('run_le', queue, ran, task, number)
        count('run_us', queue, '-', task, runs[head])
      end
      if waited ~= '-' then
        count('wait_le', queue, waited, task, number)
        count('wait_us', queue, '-', task, waits[head])
      end
      if check ~= '-' then count('checked', queue, check, task, number) end
      if checked ~= '-' then
        count('check_le', queue, checked, task, number)
        count('check_us', queue, '-', task, checks[head])
      end
    end
  end
  ends = {}
end

local noted, noted_of = {}, nil -- notes that are not in the stream yet, and the owner they are of
local function write_notes()
  for first = 1, #noted, 2 * RUNS_TOGETHER do
    local last = math.min(first + 2 * RUNS_TOGETHER - 1, #noted)
    redis.pcall('XADD', RUNS, 'MAXLEN', '~', RUNS_KEPT, '*', 'o', noted_of, unpack(noted, first, last))
  end
  noted = {}
end

local function keep_note(owner, lease, note)
  if noted_of ~= owner then
    write_notes()
    noted_of = owner
  end
  noted[#noted + 1] = lease
  noted[#noted + 1] = note
end

local function add(name, bucket, numbers)
  local key = P .. 'bgjobs:counts:' .. name
  local size = redis.pcall('HLEN', key)
  if type(size) ~= 'number' then return end
  for field, number in pairs(numbers) do
    if size >= bucket.most and redis.pcall('HEXISTS', key, field) == 0 then
      field = string.gsub(field, '^(%S+ %S+ %S+) .*$', '%1 ' .. OTHER_TASKS)
    end
    redis.pcall('HINCRBY', key, field, number)
  end
  if bucket.kept and size == 0 then redis.pcall('EXPIRE', key, bucket.kept) end
end

local function close_minute(minute)
  local told, numbers = redis.pcall('HGETALL', P .. 'bgjobs:counts:m:' .. minute), {}
  if told.err then return end
  for i = 1, #told, 2 do numbers[told[i]] = tonumber(told[i + 1]) end
  add(string.format('h:%d', math.floor(minute / 60)), HOUR, numbers)
  add(string.format('d:%d', math.floor(minute / 1440)), DAY, numbers)
  add('total', TOTAL, numbers)
end

local function this_minute() return math.floor(redis.call('TIME')[1] / 60) end

-- Closes the open minute if it is over. Returns the one that is open still: a clock that goes back opens none twice.
local function close_over()
  local told = redis.pcall('GET', OPEN)
  local open = type(told) == 'string' and tonumber(told)
  if not open then return nil end
  if open >= this_minute() then return told end
  close_minute(told)
  redis.pcall('DEL', OPEN)
  return nil
end

local function write_counts()
  count_ends()
  write_notes()
  if next(counted) == nil then return end
  local minute = close_over()
  if not minute then
    minute = string.format('%d', this_minute())
    redis.pcall('SET', OPEN, minute)
  end
  add('m:' .. minute, MINUTE, counted)
  counted = {}
end

local function begun_key(owner) return P .. 'bgjobs:begun:' .. owner end

-- Before its end, an attempt that began is not counted as started twice.
local function forget_begun(owner, lease) return redis.pcall('HDEL', begun_key(owner), lease) == 1 end

local any_begun -- of the owner, whether any attempt was counted before its end
-- An attempt has ended: its message is gone for good, or published once more.
local function note_end(owner, lease, note)
  local line_feed = string.find(note, '\n', 1, true) or 0
  local waited, ran, checked = string.match(note, '^(%S+) (%S+) (%S+)\n', line_feed + 1)
  if not waited then return end
  local head = string.sub(note, 1, line_feed - 1)
  if any_begun == nil then any_begun = redis.pcall('EXISTS', begun_key(owner)) == 1 end
  ends[head] = (ends[head] or 0) + 1
  known_begun[head] = (known_begun[head] or 0) + (any_begun and forget_begun(owner, lease) and 1 or 0)
  waits[head] = (waits[head] or 0) + (tonumber(waited) or 0)
  runs[head] = (runs[head] or 0) + (tonumber(ran) or 0)
  checks[head] = (checks[head] or 0) + (tonumber(checked) or 0)
  keep_note(owner, lease, note)
end

-- Ends the lease and counts it; one that has ended before, or was taken away, does not count. A lease "=<name>" is of a
-- message that was acknowledged before its job began. Returns how many ended.
local function acknowledge(owner, lease, note)
  local ended = redis.call('HDEL', leases_key(owner), lease)
  if note ~= '' and (ended == 1 or string.sub(lease, 1, 1) == '=') then note_end(owner, lease, note) end
  return ended
end

local function queue_of(list) return string.match(list, '^(.*)\6\22%d+$') or list end

-- What counts of a message that is only known by its text.
local function headers_of(text)
  local decoded, message = pcall(cjson.decode, text)
  local headers = decoded and type(message) == 'table' and message.headers
  return type(headers) == 'table' and headers or {}
end

local function task_of(headers)
  local task = headers.task
  return type(task) == 'string' and not string.find(task, '\n', 1, true) and task or '-'
end
