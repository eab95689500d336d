-- Lets a call through, or says when the service is tried again.
-- ARGV  1 service   2 call   3 seconds of a probe's lease
-- Returns {'closed', era} | {'probe'} | {'refused', moment of the next probe}
-- Invariant: between an opening and the closing only one call at a time is a probe, and no other is let through.
local service, call, lease = ARGV[1], ARGV[2], tonumber(ARGV[3])
if is_closed() then return {'closed', get('era') or '0'} end
if get('probe') == call then return {'probe'} end -- once more: its first reply was lost
local probe_at = get('probe_at')
if now < tonumber(probe_at) then return {'refused', probe_at} end
redis.call('HSET', RECORD, 'state', 'half_open', 'probe', call, 'probe_at', exact(now + lease), 'number', 0)
keep(service, now + lease)
return {'probe'}
