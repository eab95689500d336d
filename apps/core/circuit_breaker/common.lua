-- What the scripts of this folder share. It is put in front of each.
-- KEYS  1 the breaker's record (hash)   2 the failed calls in a row while it is closed (set)
--       3 parked jobs by the moment they are due (sorted set)   4 services whose breaker has a record (sorted set)
--
-- The record: state (open, half_open, closed; no record: closed), era, opener, since, failures, probe, probe_at, number.
-- `era` names a stretch of being closed, by the call whose success began it. `probe_at` is the moment from which a call
-- may try the service; while a probe is under way, the end of its lease. `number` counts the jobs parked behind it.
local RECORD, FAILURES, PARKED, KNOWN = unpack(KEYS)
local KEPT = 86400 -- seconds that a record is kept after its last change and its probe's time: no call lasts longer

-- Seconds since the epoch by the server's clock, the only one that counts.
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000

local function exact(seconds) return string.format('%.6f', seconds) end

local function get(field) return redis.call('HGET', RECORD, field) end

local function is_closed()
  local state = get('state')
  return not state or state == 'closed'
end

local function is_era(era) return is_closed() and (get('era') or '0') == era end

local function keep(service, probe_at)
  local seconds = math.ceil(probe_at - now) + KEPT
  redis.call('EXPIRE', RECORD, seconds)
  redis.call('ZREMRANGEBYSCORE', KNOWN, '-inf', exact(now))
  redis.call('ZADD', KNOWN, exact(now + seconds), service)
end
