-- Takes back a probe that says nothing about the service: the next call may be one at once.
-- ARGV  1 service   2 call
-- Returns nothing.
-- Invariant: only the present probe can be taken back.
if get('probe') == ARGV[2] then
  redis.call('HSET', RECORD, 'state', 'open', 'probe_at', exact(now))
  redis.call('HDEL', RECORD, 'probe')
end
