-- Ends a row of failures; the success of a probe closes the breaker.
-- ARGV  1 service   2 call   3 its era, '' of a probe
-- Returns 'closed' where this call has closed it, else ''.
-- Invariant: only the present probe closes a breaker; a call of another era changes nothing.
local service, call, era = ARGV[1], ARGV[2], ARGV[3]
if get('probe') == call then
  redis.call('HSET', RECORD, 'state', 'closed', 'era', call, 'since', exact(now), 'failures', 0)
  redis.call('HDEL', RECORD, 'opener', 'probe', 'probe_at', 'number')
  keep(service, now)
elseif is_era(era) then
  redis.call('DEL', FAILURES)
end
return is_closed() and get('era') == call and 'closed' or ''
