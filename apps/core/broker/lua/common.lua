-- The key layout, and what several scripts do. It is put in front of every other script of this folder.
-- ARGV  1 the installation's key prefix; all keys are made from it here, so that they are named in one place
--
-- A message is in exactly one of these places, and every script moves it in one step:
--   waiting      <queue>, <queue>\6\22{3,6,9}    lists in kombu's own format: pushed left, claimed right
--   delayed      bgjobs:delayed:<queue>          sorted set of entries by the moment they are due
--   leased       bgjobs:leases:<owner>           hash: name of the lease -> entry
--   quarantined  bgjobs:quarantine               hash: owner and lease -> record, which holds the message
-- An entry is the name of the list, a line feed, and the message as it was published. A lease is named by the owner's
-- claim and its place in it, as in 17-3: an owner never counts back, so no name comes twice even when the server's data
-- has gone back in time.
--
-- Beside them: bgjobs:owner:<owner> exists while that process is alive; bgjobs:owners names those who may hold leases;
-- bgjobs:call:<owner> remembers its last claim; bgjobs:suspects, since when an owner is silent; bgjobs:quiet exists
-- while nobody may be taken for dead; bgjobs:troubles holds what has befallen a job; bgjobs:paused the paused queues;
-- bgjobs:outbox names the tags of published messages whose rows the outbox still has, bgjobs:published:<tag> those of
-- recent others; bgjobs:unique:<queue> the job and tag that have a unique key until their message is gone;
-- bgjobs:seen, by delivery tag, when a message that carries no time was first noticed in its list;
-- bgjobs:fuses the tasks whose jobs do not start now, bgjobs:fused:<task> the delayed entries that wait for that reason;
-- bgjobs:card:<owner> what a worker says of itself; bgjobs:purges:<queue> names lists of purged messages;
-- bgjobs:idle:<queue> the owners who wait, bgjobs:scout:<queue> the one of them who watches the list itself, and
-- bgjobs:wake:<owner> the list through which an owner is woken.
local P = ARGV[1]
local STEPS = {'', '\6\0223', '\6\0226', '\6\0229'}
local WRITABLE = P .. 'bgjobs:writable'
local OWNERS = P .. 'bgjobs:owners'
local SUSPECTS = P .. 'bgjobs:suspects'
local TROUBLES = P .. 'bgjobs:troubles'
local PAUSED = P .. 'bgjobs:paused'
local REVOKED = P .. 'bgjobs:revoked'
local QUARANTINE = P .. 'bgjobs:quarantine'
local QUIET = P .. 'bgjobs:quiet'
local SEEN = P .. 'bgjobs:seen'
local OUTBOX = P .. 'bgjobs:outbox'
local FUSES = P .. 'bgjobs:fuses'
local WAKE_KEPT = 60000 -- milliseconds that a wake-up waits for its owner
local CALL_KEPT = 86400 -- seconds that the last claim of an owner who was taken for dead is remembered: it may go on
local BATCH = 1000      -- values in one command, well below Lua's limit

local function delayed_key(queue) return P .. 'bgjobs:delayed:' .. queue end
local function leases_key(owner) return P .. 'bgjobs:leases:' .. owner end
local function published_key(tag) return P .. 'bgjobs:published:' .. tag end
local function unique_key(queue) return P .. 'bgjobs:unique:' .. queue end
local function owner_key(owner) return P .. 'bgjobs:owner:' .. owner end
local function call_key(owner) return P .. 'bgjobs:call:' .. owner end
local function idle_key(queue) return P .. 'bgjobs:idle:' .. queue end
local function scout_key(queue) return P .. 'bgjobs:scout:' .. queue end
local function wake_key(owner) return P .. 'bgjobs:wake:' .. owner end
local function card_key(owner) return P .. 'bgjobs:card:' .. owner end
local function fused_key(task) return P .. 'bgjobs:fused:' .. task end
local function purges_key(queue) return P .. 'bgjobs:purges:' .. queue end

-- Seconds since the epoch by the server's clock, the only one that counts.
local function clock()
  local time = redis.call('TIME')
  return tonumber(time[1]) + tonumber(time[2]) / 1000000
end

local function exact(seconds) return string.format('%.6f', seconds) end

-- The server's reason for refusing writes (out of memory, read-only, failing disk), else nil. Nothing is rolled back
-- when a script errs, so each script asks before it changes anything.
local function refusal()
  local reply = redis.pcall('INCRBY', WRITABLE, 0)
  if type(reply) == 'table' and reply.err then return reply.err end
end

local function split(entry)
  local line_feed = string.find(entry, '\n', 1, true)
  return string.sub(entry, 1, line_feed - 1), string.sub(entry, line_feed + 1)
end

local function has_waiting(queue)
  for _, step in ipairs(STEPS) do
    local length = redis.pcall('LLEN', P .. queue .. step)
    if type(length) == 'number' and length > 0 then return true end
  end
  return false
end

local function is_paused(queue, now)
  local pause = redis.call('HGET', PAUSED, queue)
  if not pause then return false end
  local until_when = tonumber(string.match(pause, '^[%d.]+'))
  return until_when == 0 or until_when > now
end

local function is_alive(owner) return redis.call('EXISTS', owner_key(owner)) == 1 end

local function wake(owner, queue)
  redis.call('LPUSH', wake_key(owner), queue)
  redis.call('PEXPIRE', wake_key(owner), WAKE_KEPT)
end

-- Wakes one owner who waits for this queue, and returns it.
local function wake_one(queue)
  while true do
    local owner = redis.call('SPOP', idle_key(queue))
    if not owner then return nil end
    if is_alive(owner) then
      wake(owner, queue)
      return owner
    end
  end
end

-- Moves what is due by `moment` into its list. A list of the wrong type moves nothing: it would be lost half-way.
local function move_due(queue, moment, most)
  local key = delayed_key(queue)
  local due = math.min(redis.call('ZCOUNT', key, '-inf', moment), most)
  if due == 0 then return 0 end
  for _, step in ipairs(STEPS) do
    local kind = redis.call('TYPE', P .. queue .. step).ok
    if kind ~= 'list' and kind ~= 'none' then return 0 end
  end
  local moved = redis.call('ZPOPMIN', key, due)
  for i = 1, #moved, 2 do
    local list, text = split(moved[i])
    redis.call('LPUSH', P .. list, text)
  end
  return due
end

-- Notes in a job's history what has happened to it. `text` is only read here, never changed.
local function note_trouble(text, event)
  local decoded, message = pcall(cjson.decode, text)
  local headers = decoded and type(message) == 'table' and message.headers
  local job = type(headers) == 'table' and headers.id
  if type(job) == 'string' then
    redis.call('HSET', TROUBLES, job, (redis.call('HGET', TROUBLES, job) or '') .. event .. '\n')
  end
end

-- Puts these leases back where they are claimed next, in the order in which they were claimed.
-- `event`: what to note in their histories, or ''. `tell`, if any, is called for each with its lease, list and text.
-- Returns how many.
local function put_back(owner, leases, event, tell)
  local key, returned, rank = leases_key(owner), 0, {}
  for _, lease in ipairs(leases) do
    local call, place = string.match(lease, '^(%d+)-(%d+)$')
    rank[lease] = tonumber(call) * 1000000 + tonumber(place)
  end
  table.sort(leases, function(a, b) return rank[a] > rank[b] end)
  for _, lease in ipairs(leases) do
    local entry = redis.call('HGET', key, lease)
    if entry then
      local list, text = split(entry)
      local pushed = redis.pcall('RPUSH', P .. list, text)
      if type(pushed) == 'number' then
        redis.call('HDEL', key, lease)
        returned = returned + 1
        if event ~= '' then note_trouble(text, event) end
        if tell then tell(lease, list, text) end
      end
    end
  end
  return returned
end

-- The owner does not wait for this queue any more; somebody else may.
local function stop_waiting(owner, queue)
  redis.call('SREM', idle_key(queue), owner)
  if redis.call('GET', scout_key(queue)) == owner then
    local heir = wake_one(queue)
    if heir then redis.call('SET', scout_key(queue), heir) else redis.call('DEL', scout_key(queue)) end
  end
end
