-- Counts a failed call. Enough of them in a row open the breaker, and so does a failed probe.
-- ARGV  1 service   2 call   3 its era, '' of a probe   4 failures in a row that open it   5 seconds until a probe
-- Returns the moment of the next probe where this call has opened it, else ''.
-- Invariant: a call counts once, however often it is said, and only within its era; one call opens what was closed.
local service, call, era, limit, open_for = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
if get('opener') == call then return get('probe_at') end
local failures
if get('probe') == call then
  failures = get('failures') + 1
elseif is_era(era) then
  redis.call('SADD', FAILURES, call)
  redis.call('EXPIRE', FAILURES, KEPT)
  failures = redis.call('SCARD', FAILURES)
  if failures < limit then return '' end
  redis.call('HSET', RECORD, 'since', exact(now))
else
  return ''
end
local probe_at = exact(now + open_for)
redis.call('HSET', RECORD, 'state', 'open', 'opener', call, 'failures', failures, 'probe_at', probe_at, 'number', 0)
redis.call('HDEL', RECORD, 'probe')
redis.call('DEL', FAILURES)
keep(service, now + open_for)
return probe_at
